"""What `digitwatch check` looks at, one matter in each file."""
