"""From a page and its reading to an annotated PNG."""
