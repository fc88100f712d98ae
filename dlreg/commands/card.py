"""The model card of a run, as the Hugging Face hub reads it: what it is, how good, and how it is used."""

from pathlib import Path

from dlreg.commands.card_sections import METRICS, CardFacts, model_card
from dlreg.errors import Fault, UsageError
from dlreg.evaluation.bootstrap import told_interval
from dlreg.evaluation.intervals import LEVEL
from dlreg.files.whole_file import reporting_storage_errors, write_atomically
from dlreg.runs.contents import read_config, read_intervals, read_preprocessing
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import CARD, IMPORTANCE, LOSS_CURVE, RUN
from dlreg.runs.reading import names_in, read_record
from dlreg.runs.shapes import CardRecord, IntervalsRecord
from dlreg.runs.tables import read_predictions


def card(path: Path, output: Path | None) -> Path:
    """Writes the model card of a run, from its directory alone: neither the table nor the network is read.

    Args:
        path: The run directory.
        output: Where to write; None for `README.md` in the run directory.

    Returns:
        The file written.

    Raises:
        UsageError: `output` is not called as Markdown is.
        RunDirError: There is no complete run, or it is damaged.
    """
    output = output or path / CARD
    if output.suffix.lower() != ".md":
        hint = "Give a name that ends in .md"
        raise UsageError(
            Fault(f"--output takes the name of a Markdown file; found {output.name!r}", hint=hint)
        )
    text = model_card(_read_facts(path, beside=output.parent.resolve() == path.resolve()))
    with reporting_storage_errors(output):
        write_atomically(output, text.encode())
    return output


def _read_facts(path: Path, *, beside: bool) -> CardFacts:
    record = read_record(path)
    _, y_true, y_pred = read_predictions(path, record)
    ends = {name: told_interval(name, y_true, y_pred) for name in METRICS}
    figures = [name for name in names_in(path) if name in (LOSS_CURVE, IMPORTANCE)] if beside else []
    return CardFacts(
        path.resolve().name,
        read_json(to_json(record), CardRecord, path / RUN),
        read_config(path, record),
        read_preprocessing(path, record),
        _usable_intervals(read_intervals(path, record)),
        {name: both for name, both in ends.items() if both},
        tuple(figures),
    )


def _usable_intervals(record: IntervalsRecord | None) -> IntervalsRecord | None:
    """What intervals are made from, if there were rows enough to calibrate them on."""
    return record if record and record.rows and record.intervals().factors(LEVEL) else None
