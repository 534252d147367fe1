"""config.yaml to checked, frozen settings."""
