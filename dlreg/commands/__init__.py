"""One module a command, named as the command; no terminal in them.

Each returns a value, writes what the command is for, and warns (`warnings.warn`) of what a user should know.
Never imports cli: the Python API calls the same functions.
"""
