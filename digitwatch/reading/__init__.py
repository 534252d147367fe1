"""What is on the paper: pure functions from bytes and arrays to readings."""
