"""What a search tells its trackers: how it begins, each trial, and what is left of it."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dlreg.commands.tracked import metrics_of, parameters_of
from dlreg.commands.tune_results import Ended
from dlreg.commands.tune_summary import StudySummary, space_as_json
from dlreg.config.schema import Config
from dlreg.search.space import Search
from dlreg.search.study_names import BEST_CONFIG, CONFIG, FIGURE, TRIALS
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial

# The journal says the same as the table of trials; the runs are told apart.
KEPT_FILES = (CONFIG, BEST_CONFIG, TRIALS, FIGURE)


def describe_study(config: Config, search: Search, path: Path, facts: Mapping[str, Any]) -> StudyOpening:
    """What trackers are told of a search that begins or goes on.

    Args:
        config: Of the study.
        search: What is searched.
        path: The study directory.
        facts: As `study.json` has them.
    """
    tags = {f"versions.{name}": version for name, version in facts["versions"].items()}
    tags |= {f"{key}.sha256": entry["sha256"] for key, entry in facts["data"].items()}
    space = space_as_json(search.space)
    searched = {"search.metric": search.metric, "search.method": search.method}
    searched |= {
        f"search.parameters.{key}": json.dumps(tried, ensure_ascii=False) for key, tried in space.items()
    }
    started = datetime.fromisoformat(facts["started"]).timestamp()
    parameters = {**parameters_of(config), **searched}
    identity = facts.get("tracking_id", "")
    return StudyOpening(str(path.resolve()), identity, parameters, tags, started, search.metric, space)


def describe_trial(ended: Ended, *, is_best: bool) -> ToldTrial:
    """What trackers are told of a trial that has just ended, or was known before.

    Args:
        ended: The trial.
        is_best: Whether it is the best so far.
    """
    trial, result = ended
    now = time.time()
    values = {
        key: value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
        for key, value in trial.values.items()
    }
    metrics = metrics_of({**result.metrics, "epochs": result.epochs, "best_epoch": result.best_epoch})
    return ToldTrial(trial.number, result.state, values, metrics, now - result.seconds, now, is_best)


def describe_finish(summary: StudySummary, path: Path) -> StudyFinish:
    """What trackers are told of a complete study: the numbers of its best run, and its files.

    Args:
        summary: Of the study.
        path: The study directory.
    """
    files = [path.resolve() / name for name in KEPT_FILES]
    kept = [str(file) for file in files if file.exists()]
    return StudyFinish(metrics_of(summary.best.metrics or {}), kept, time.time())
