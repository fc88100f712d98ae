"""The config of a study as it is kept: as it was given, so that whoever goes on has the same trials.

A resolved config gives every key, and another preset then changes none of them: of a search for a preset the
trials would be others.
"""

from dlreg.config.schema import Config
from dlreg.config.writing import dump_config, to_yaml


def study_yaml(config: Config) -> bytes:
    """The config as its file and the command line give it, with absolute paths and its search spelled out.

    Args:
        config: As `load_config` gave it, its search spelled out; not read from a file, it is resolved.
    """
    given = config._origins.values
    if not given:
        return dump_config(config).encode()
    run = {key: value for key, value in (given.get("run") or {}).items() if key != "dir"}
    others = {key: value for key, value in given.items() if key not in ("run", "search")}
    values = {
        **others,
        **({"run": run} if run else {}),
        "search": config.model_dump(mode="json", include={"search"})["search"],
    }
    return f"# The config of a search by dlreg, every path absolute.\n{to_yaml(values)}".encode()
