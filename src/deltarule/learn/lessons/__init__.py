"""Exercises: a network written function by function, checked, graded; and broken ones to repair."""
