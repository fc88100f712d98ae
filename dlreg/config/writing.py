"""The config as YAML text: what `dlreg.config.reading` reads back unchanged."""

from typing import Any

import yaml

from dlreg.config.schema import Config
from dlreg.config.yaml_source import core_scalar


def dump_config(config: Config) -> str:
    """The resolved config as YAML: loading it gives an equal config but for `run.dir`."""
    values = config.model_dump(mode="json")
    values["run"]["dir"] = None
    # What a run does not heed its config need not tell.
    if not config.search.is_given:
        del values["search"]
    return (
        f"# The resolved config of dlreg: every default spelled out, every path absolute.\n{to_yaml(values)}"
    )


def to_yaml(value: Any) -> str:
    """A mapping, list or scalar as YAML that `dlreg.config.yaml_source` reads back unchanged."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=2**31
    )
    # PyYAML marks the end of a document that is a plain scalar.
    return str(text).removesuffix("...\n")


class _Dumper(yaml.SafeDumper):
    def represent_text(self, text: str) -> yaml.Node:
        # PyYAML quotes what YAML 1.1 would misread; this adds what YAML 1.2 would.
        plain = text.isprintable() and core_scalar(text) is text
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')

    def represent_items(self, items: list[Any]) -> yaml.Node:
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=len(str(items)) < 80)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_items)
