"""What goes out and comes back: model files and run folders, each written whole or not at all."""
