"""A reader for each kind of file; `read` in `kinds.py` finds out the kind of a file and reads it."""
