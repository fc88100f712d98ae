"""What a training tells its trackers, when it begins and when it is complete."""

import json
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dlreg.commands.card_code import example_cell
from dlreg.config.differences import flat_config, flat_values
from dlreg.config.schema import Config
from dlreg.errors import DlregError
from dlreg.runs import names
from dlreg.runs.contents import read_preprocessing
from dlreg.runs.reading import read_record
from dlreg.trackers.listening import Trackers
from dlreg.trackers.told import Finish, Opening

# Neither rows of the table nor what only Keras reads; the pipeline is told apart.
KEPT_FILES = (
    names.CONFIG, names.METRICS, names.HISTORY, names.HISTORY_TABLE, names.PREPROCESSING, names.INTERVALS,
    names.SUMMARY, names.RUN, names.PIPELINE,
)  # fmt: skip


def describe_opening(config: Config, path: Path, facts: Mapping[str, Any]) -> Opening:
    """What trackers are told of a run that begins or goes on.

    Args:
        config: Of the run.
        path: Where it will stand.
        facts: As `run.json` has them.
    """
    tags = {f"versions.{name}": version for name, version in facts["versions"].items()}
    tags |= {f"{key}.sha256": entry["sha256"] for key, entry in facts["data"].items()}
    started = datetime.fromisoformat(facts["started"]).timestamp()
    parameters = parameters_of(config)
    return Opening(str(path.resolve()), facts.get("tracking_id", ""), parameters, tags, started)


def tell_results(trackers: Trackers, path: Path, results: Mapping[str, Any]) -> list[str]:
    """Tells trackers of a complete run, and waits for them.

    Args:
        trackers: Of the run.
        path: The run directory.
        results: As `run.json` has them.

    Returns:
        A note of whatever went wrong.
    """
    from dlreg.commands.plot import draw_all

    trackers.on_stage("telling the trackers")
    try:
        with tempfile.TemporaryDirectory(prefix="dlreg-") as folder:
            draw_all(path, Path(folder))
            files = [path.resolve() / name for name in KEPT_FILES]
            columns = read_preprocessing(path, read_record(path)).columns
            return trackers.finish(
                Finish(
                    metrics=metrics_of({**results, **results["metrics"], "metrics": None}),
                    figures=folder,
                    files=[str(file) for file in files if file.exists()],
                    pipeline=str(path.resolve() / names.PIPELINE),
                    example={name: example_cell(column) for name, column in columns.items()},
                    finished=time.time(),
                )
            )
    except (DlregError, OSError) as error:
        return [f"trackers do not have the results of this run: {error}"]


def parameters_of(config: Config) -> dict[str, Any]:
    """Every key of a config: numbers, texts and truth values as they are, all else as JSON."""
    return {
        key: value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
        for key, value in flat_config(config).items()
    }


def metrics_of(results: Mapping[str, Any]) -> dict[str, float]:
    """Every number of a run's results by its dotted name, without those that are null."""
    return {
        key: value
        for key, value in flat_values(results).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
