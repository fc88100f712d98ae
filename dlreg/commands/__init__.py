"""One module a command, named as the command; no terminal in them."""
