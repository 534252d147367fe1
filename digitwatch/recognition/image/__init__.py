"""From bytes to pages: formats, containers, decoders, pixels."""
