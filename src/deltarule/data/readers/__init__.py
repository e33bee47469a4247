"""What a file is, and how each kind is read; `read` in `kinds.py` reads all of them."""
