"""Further ways to prepare a page that was not read with certainty."""
