"""Deliveries of rows and corrections to other systems; the log stays the truth, a sink is a cursor over it."""
