"""From a page to the strength of ink at each pixel."""
