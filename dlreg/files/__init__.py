"""Files of any kind, whoever wrote them.

- `whole_file`: files that are written whole or not at all
- `whole_folder`: the same of folders
- `plain_file`: files that are read only if they are plain ones, and no more of them than expected
- `table_files`: the files that the path of a table stands for, and whether they are still the same
- `hashing`: the SHA-256 of a file
- `cache_folder`: where dlreg keeps what only saves time
- `kept_folder`: folders that are made once, whole or not at all, and kept there
- `native_stderr`: what native code writes to stderr, held back
- `similar_file`: the existing file that a mistyped path most likely meant

Others may call all public functions. Never imports another package, only the modules `errors` and `wording`.
"""
