"""Any file: written whole or not at all, read only if it is a plain one, and its mistyped name.

Never imports any other package of dlreg.
"""
