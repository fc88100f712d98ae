"""What is asked for: the config, from a file or `--set` to values, and back to a file.

Others call `schema.Config`, `reading`, `writing`, `presets.PRESETS`, `json_schema.config_schema`, `keys`.
Never imports any other package of dlreg but `files`: what may be said does not depend on how it is done.
"""
