"""A page to draw on, to look inside with and to watch a network learn. Needs the extra `page`: the command says so."""
