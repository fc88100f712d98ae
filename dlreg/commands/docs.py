"""The pages that ship with dlreg."""

from collections.abc import Mapping
from pathlib import Path

from dlreg.errors import Fault, UsageError
from dlreg.wording import nearest_word

FOLDER = Path(__file__).parents[1] / "docs"
PAGES: Mapping[str, str] = {
    "start": "from a table to a trained network in five minutes",
    "start.ko": "the same in Korean",
    "commands": "every command and option",
    "config": "every key, and what the network and its training can be",
    "tables": "the forms of a table, and what becomes of its cells",
    "presets": "fast, accurate and best: sets of values that do well on most tables",
    "search": "better values for a config, found by trying",
    "intervals": "between what a prediction lies, and how sure that is",
    "run-directory": "the files of a run, stopping and going on, signatures",
    "runs": "many runs: a list, a comparison, a report for people",
    "ci": "gates, exit codes and JSON for scripts",
    "trackers": "TensorBoard, MLflow and DVC",
    "cluster": "a search on many machines: Ray, SLURM, Kubernetes",
    "python": "trainings and predictions in a program or a notebook, and scikit-learn",
    "serving": "predictions from any language, in C, and over HTTP",
    "scale": "more rows than memory, and the limits",
    "how-it-works": "the compiled epoch, the packages, the dependencies",
    "versions": "old runs, and what two equal trainings share",
}


def read_page(name: str) -> str:
    """A page as Markdown.

    Args:
        name: One of `PAGES`.

    Raises:
        UsageError: There is no such page.
    """
    if name not in PAGES:
        near = nearest_word(name, PAGES)
        hint = f"Did you mean {near}?" if near else f"The pages are {', '.join(PAGES)}"
        raise UsageError(Fault(f"there is no page {name!r}", hint=hint))
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")
