"""The operating system: service manager, temporary folder, error texts, child environment."""
