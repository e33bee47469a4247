"""A page to draw digits, to look inside a network and to watch it learn. It needs the extra `page`."""
