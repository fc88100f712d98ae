"""Opens a study: a journal file of one driver, or a database that several share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlreg.search.journal_study import JournalStudy
from dlreg.search.space import Space
from dlreg.search.study import Method, Study, StudyPlan


def open_study(
    place: Path | str,
    space: Space,
    method: Method,
    seed: int,
    window: int,
    maximise: bool,
    *,
    own_values: Mapping[str, Any],
    prune_epochs: int | None = None,
    name: str = "dlreg",
) -> Study:
    """The study of a place, which is begun where there is none.

    Args:
        place: The journal file of a study that this process alone drives; or the URL of a database, as
            SQLAlchemy has them, which several drivers may share. With a database values depend on which trial
            ends first.
        space: What may be tried.
        method: How.
        seed: Of everything drawn.
        window: How many trials may be asked for before the result of the first of them is known; of a study
            that exists, its own.
        maximise: Whether the largest value is the best.
        own_values: What the config itself has for the keys of the space, in the space or not; trial 0 tries
            it.
        prune_epochs: The most epochs a trial has, where those that fall behind are to end before; None: none
            is.
        name: Of the study in a database, which may hold several.

    Raises:
        RunDirError: The study is damaged, from a newer version, or its space or anything else differs.
        StorageError: It cannot be read or written.
        UsageError: The database needs a library that is not installed, or the URL is none.
    """
    plan = StudyPlan(space, method, seed, window, maximise, own_values, prune_epochs)
    if isinstance(place, Path):
        return JournalStudy(place, plan)
    # SQLAlchemy is half of the time of Optuna's import.
    from dlreg.search.database_study import DatabaseStudy

    return DatabaseStudy(place, name, plan)
