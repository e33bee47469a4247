"""Exercises: a network to write function by function, checked and graded; and broken ones to repair."""
