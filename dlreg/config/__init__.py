"""What is asked for: the config, from a file and `--set` to values, and back to a file.

- `schema`: every key with its type, range, default and meaning; those of a section in `sections`
- `checks`: whether a value that has the right type makes sense, such as an encoding
- `date_formats`: the same of formats of dates, and of time zones
- `presets`: named sets of values
- `places`: where keys and values stand in a file
- `keys`: every key, looked up in the JSON Schema of `schema`
- `json_schema`: the same JSON Schema, made ready for editors
- `yaml_source`: YAML text to plain values and their places
- `yaml_syntax`: what is wrong with text that is no YAML
- `overrides`: `--set` and `--search`, in place of what the file says
- `mapping_source`: the same as values of Python instead of text
- `precedence`: defaults, preset, file and `--set`, merged in this order
- `contradictions`: values that exclude each other
- `search_faults`: what cannot be searched, and values that no trial could have
- `suggestions`: what a wrong key or value most likely meant
- `sentences`: the messages for what the schema refuses
- `reading`: from a file and `--set` to a config, or to every fault
- `writing`: the resolved config as YAML
- `differences`: what configs differ in
- `reference`: the config of every key, as the docs have it

Others call `schema.Config`, the sections and types in `sections`, `mapping_source.CONFIG`,
`reading.{read_config, read_values, parse_config, trial_config}`, `writing.{dump_config, to_yaml}`,
`presets.PRESETS`, `json_schema.config_schema`, `differences`, `keys.{override_keys, named_values}`,
`checks.RefusedError`, `date_formats` and `yaml_source.MAX_BYTES`.

Never imports another package but `files`: what may be said does not depend on how it is done.
"""
