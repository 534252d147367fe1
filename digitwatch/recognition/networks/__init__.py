"""The LiteRT networks and the normalisation of their inputs."""
