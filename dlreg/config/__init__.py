"""What is asked for: the config, from a file and `--set` to values, and back to a file.

- `schema`: every key with its type, range, default and meaning
- `checks`: of values that no type expresses
- `presets`: named sets of values
- `places`: where keys and values stand in a file
- `keys`: the walk through the JSON Schema of the schema
- `json_schema`: that schema, for editors
- `precedence`: which value counts
- `contradictions`: values that exclude each other
- `yaml_source`: YAML text to plain values with their places
- `yaml_syntax`: what is wrong with text that is no YAML
- `suggestions`: a way out of a fault
- `sentences`: what is wrong, in words
- `reading`: all of these together
- `writing`: the resolved config as YAML
- `reference`: the config of every key, as the docs have it

Others call `schema.Config`, `reading.{load_config, read_config, parse_config}`,
`writing.{dump_config, to_yaml}`, `presets.PRESETS`, `json_schema.config_schema`,
`keys.{override_keys, named_values}`, `yaml_source.MAX_BYTES` and of `checks` the date directives and
`RefusedError`. Never imports another package but `files`: what may be said does not depend on how it is done.
"""
