"""Form templates: their schema, the registration of a page on one, and the reading and checking of its fields."""
