"""What was asked and what was found, in sentences that a page and a comment share."""

from collections.abc import Iterable, Iterator

from dlreg.evaluation.baselines import compare_with_baselines
from dlreg.evaluation.bootstrap import CONFIDENCE
from dlreg.report.facts import RunFacts
from dlreg.runs.shapes import Metrics
from dlreg.wording import blend_sentence, format_number, format_share, shorten

METRICS = ("rmse", "mae", "mape", "r2")
HEADS = {"rmse": "RMSE", "mae": "MAE", "mape": "MAPE", "r2": "R²"}
PARTS = ("train", "validation", "out_of_fold", "test")
_DRAWN = {
    "random": "drawn at random",
    "ordered": "the last ones of the table",
    "group": "of groups of their own by {by}",
    "time": "the latest ones by {by}",
}


def finding(facts: RunFacts) -> Iterator[str]:
    """What was asked and found, a sentence at a time."""
    config, metrics, held_out = facts.config, facts.record.metrics, facts.held_out.name
    measured: Metrics = getattr(metrics, held_out)
    members = facts.record.n_predicting
    network = f"An ensemble of {members:,} networks" if members > 1 else "A network"
    if (n_sharing := config.model.shared_members) > 1:
        network += f" of {n_sharing:,} members that share weights" + (" each" if members > 1 else "")
    columns = f"{facts.n_columns:,} columns" if facts.n_columns > 1 else "one column"
    yield (
        f"{network} learned to predict “{shorten(config.data.target)}” from {columns} of "
        f"{facts.n_rows['train']:,} training rows{_learnt_at_last(facts)}."
    )
    if facts.record.blend:
        yield blend_sentence(facts.record.blend)
    interval = facts.held_out.intervals.get("rmse")
    ends = (
        f" ({_percent(CONFIDENCE)} interval {' to '.join(map(format_number, interval))})" if interval else ""
    )
    yield (
        f"On {measured.n:,} {words_of(held_out)} rows{_drawn(facts)} its root mean squared error is "
        f"{with_unit(measured.rmse, facts.unit)}{ends}, its mean absolute error "
        f"{with_unit(measured.mae, facts.unit)}."
    )
    if held_out == "train" and metrics.out_of_fold:
        error = with_unit(metrics.out_of_fold.rmse, facts.unit)
        yield f"Out of fold, by networks that had not learned the rows, that error is {error}."
    elif measured.r2 is not None and measured.r2 > 0:
        yield f"It explains {format_share(measured.r2)} of the target's variance."
    yield compare_with_baselines(metrics.model_dump(), held_out).sentence
    warned = [check.name.lower() for check in facts.checks if check.mark == "warn"]
    if warned:
        asks = "asks" if len(warned) == 1 else "ask"
        yield f"Of {len(facts.checks)} checks {len(warned)} {asks} for a look: {', '.join(warned)}."
    else:
        yield f"None of {len(facts.checks)} checks found anything wrong."


def _learnt_at_last(facts: RunFacts) -> str:
    """What the network went on with after its validation rows had told of it."""
    if not (any(facts.record.refit_epochs) and facts.record.metrics.validation):
        return ""
    return f", and went on with {facts.n_rows['validation']:,} validation rows after these had measured it"


def words_of(part: str) -> str:
    """What a sentence calls the rows of a part."""
    return {"train": "training"}.get(part, part.replace("_", " "))


def with_unit(value: float, unit: str) -> str:
    """A number in the target's unit, where it has one."""
    return f"{format_number(value)} {unit}".strip()


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _drawn(facts: RunFacts) -> str:
    data, held_out = facts.config.data, facts.held_out.name
    if held_out == "train":
        return ", the very ones it learned from,"
    if getattr(data, f"{held_out}_path", None):
        return ", from a file of their own,"
    return f", {_DRAWN[data.split].format(by=f'“{shorten(str(data.split_by))}”')},"


def metric_rows(facts: RunFacts) -> Iterator[tuple[str, dict[str, float | int | None], bool]]:
    """The name and the metrics of each part and baseline, and whether it is a baseline."""
    metrics, held_out = facts.record.metrics, facts.held_out.name
    for name in PARTS:
        if part := getattr(metrics, name):
            yield words_of(name), part.model_dump(), False
    held_out = words_of(held_out)
    yield f"mean, {held_out}", metrics.baselines.mean.model_dump(), True
    yield f"linear regression, {held_out}", metrics.baselines.linear.model_dump(), True
    if facts.boosted:
        yield f"gradient-boosted trees, {held_out}", dict(facts.boosted.metrics), True


def validation_error(facts: RunFacts) -> float | None:
    """The RMSE that runs are chosen by: of validation rows, or of out-of-fold rows."""
    part = facts.record.metrics.validation or facts.record.metrics.out_of_fold
    return part.rmse if part else None


def in_order(runs: Iterable[RunFacts]) -> list[RunFacts]:
    """Runs by their validation error, the least first; those without any last."""
    return sorted(
        runs, key=lambda facts: ((error := validation_error(facts)) is None, error or 0.0, facts.name)
    )
