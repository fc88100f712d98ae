"""How `--help` looks: plain words, options by what they are about, examples, a page of the documentation."""

import re
from collections import defaultdict
from typing import Any

from typer.core import TyperCommand

# What options are about, in the order in which they are shown; the others stand before them.
READING, SEARCH, GATES, OUTPUT = "Reading the table", "The search", "Gates", "Output"


class Command(TyperCommand):
    """A command whose usage has no braces and whose types are no Python."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands behind the command's name in its usage."""
        return [re.sub("[{}]", "", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments, and the options by what they are about."""
        sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
        sections |= {"Arguments": [], "Options": [], READING: [], SEARCH: [], GATES: [], OUTPUT: []}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                is_argument = parameter.param_type_name == "argument"
                heading = getattr(parameter, "rich_help_panel", None) or "Options"
                sections["Arguments" if is_argument else heading].append(_plain(*record))
        # That of --help comes last.
        sections["Options"].sort(key=lambda record: record[0].endswith("--help"))
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, _: Any, formatter: Any) -> None:
        """The examples and the page, each on its line."""
        formatter.write(f"\n{self.epilog}\n" if self.epilog else "")


def _plain(name: str, text: str) -> tuple[str, str]:
    """A record of the help without brackets around a choice, types beside a name, and what usage shows."""
    if not name.startswith("-"):
        name = name.partition(" ")[0]
    text = text.replace("  [required]", "").replace("; required]", "]")
    text = re.sub(r"([0-9.]+)<=x<=([0-9.]+)", r"\1 to \2", text)
    return name.replace("<", "").replace(">", ""), text


def shown(*examples: str, page: str) -> dict[str, Any]:
    """What makes a command show examples and its page of the documentation in `--help`.

    Args:
        examples: Command lines.
        page: Of `dlreg docs`.
    """
    lines = "".join(f"  {example}\n" for example in examples)
    heading = "Example" if len(examples) == 1 else "Examples"
    return {"cls": Command, "epilog": f"{heading}:\n{lines}\nMore: dlreg docs {page}"}
