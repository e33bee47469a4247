"""Model files and run folders, each written whole or not at all."""
