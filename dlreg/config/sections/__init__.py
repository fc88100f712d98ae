"""The sections of a config, a module each: every key with its type, range, default and meaning.

- `values`: what they have in common
- `data`, `preprocessing`, `model`, `training`, `run`, `search`: as a config names them

Others call the sections and the types of their values; `dlreg.config.schema` joins them.
"""
