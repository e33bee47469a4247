"""What a file is, and how each kind is read; `read` in `kinds.py` is the door to all of them."""
