"""What a search found, in sentences: what mattered, edges, failures, what it bought, what of that is luck."""

from collections.abc import Iterator

from dlreg.commands.tune_choice import PassedOver
from dlreg.commands.tune_gain import Gain, Optimism
from dlreg.commands.tune_results import Edge, value_text
from dlreg.commands.tune_summary import StudySummary
from dlreg.search.importance import LEAST_TRIALS

# With fewer rows the best of many trials is chosen by chance as much as by merit.
FEW_ROWS = 500
# With fewer, an error differs from part to part by more than being chosen does to it.
LEAST_ROWS_TO_TELL = 100
# With fewer training rows a fold is too small to measure by.
LEAST_ROWS_TO_FOLD = 20
# Parameters below this share are told together.
LEAST_SHARE = 0.05


def sentences(summary: StudySummary) -> Iterator[str]:
    """What a reader of the numbers should know, the most important last."""
    yield _counts(summary)
    yield from _failures(summary)
    yield from _importance(summary)
    # Who named no range cannot widen it without naming all of them.
    yield from map(_edge, () if summary.is_default_space else summary.edges)
    yield gain_sentence(summary)
    yield from _ensemble(summary)
    if summary.optimism:
        yield _optimism(summary.optimism, summary)
    if advice := _advice(summary):
        yield advice


def _counts(summary: StudySummary) -> str:
    counts = summary.counts
    parts = [f"{counts['complete']:,} trained to the end"]
    parts += [f"{counts['pruned']:,} given up early"] if counts["pruned"] else []
    parts += [f"{counts['failed']:,} failed"] if counts["failed"] else []
    trials, parameters = _count(counts["finished"], "trial"), _count(len(summary.space), "parameter")
    return f"{trials} of {parameters} in {_duration(summary.seconds)}: {', '.join(parts)}."


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes:,} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _failures(summary: StudySummary) -> Iterator[str]:
    if summary.failures:
        first = summary.failures[0]
        reason = first.message.rstrip(".")
        if first.count == summary.counts["failed"]:
            yield f"Why {'it' if first.count == 1 else 'all of these'} failed: {reason}."
        else:
            yield f"Why {first.count:,} of {summary.counts['failed']:,} failed: {reason}."


def _importance(summary: StudySummary) -> Iterator[str]:
    if summary.importance is None:
        # Of one parameter there is nothing to tell, and a grid of few trials cannot be made longer.
        is_short = summary.counts["complete"] < LEAST_TRIALS
        if len(summary.space) < 2 or summary.counts["finished"] == 1:
            return
        if is_short and summary.method == "grid":
            return
        reason = (
            f"that takes {LEAST_TRIALS} trials that are trained to the end"
            if is_short
            else "no trial was better than the others"
        )
        yield f"What mattered cannot be told: {reason}."
        return
    if not any(summary.importance.values()):
        yield "What mattered cannot be told: no parameter stands out from chance."
        return
    shares = {key: share for key, share in summary.importance.items() if share >= LEAST_SHARE}
    told = ", ".join(f"{key} {share:.0%}" for key, share in shares.items())
    n_others = len(summary.importance) - len(shares)
    others = f"; {_count(n_others, 'other')} below {LEAST_SHARE:.0%}" if n_others else ""
    yield f"What mattered: {told}{others}."


def _edge(edge: Edge) -> str:
    where = "largest" if edge.end == "upper" else "least"
    further = "larger" if edge.end == "upper" else "smaller"
    return (
        f"{edge.parameter} is best at {value_text(edge.value)}, about the {where} that was tried "
        f"({value_text(edge.limit)}): {further} ones may do better."
    )


def gain_sentence(summary: StudySummary) -> str:
    """What the search bought over the config's own values."""
    if summary.counts["finished"] == 1 and summary.best.number == 0:
        return "Nothing else was tried than the config's own values."
    if summary.passed_over and summary.best.number == 0:
        return _passed_over(summary.passed_over, summary)
    if summary.passed_over:
        return f"{_passed_over(summary.passed_over, summary)} {_measured_gain(summary)}"
    if summary.best.number == 0:
        return "No trial was better than the config's own values."
    return _measured_gain(summary)


def _measured_gain(summary: StudySummary) -> str:
    gain = summary.gain
    if gain is None:
        if summary.plain.run_dir is None:
            return "The config's own values did not train to the end: there is nothing to compare with."
        if "training.seed" in summary.space and (summary.best.metrics or {}).get("test"):
            return (
                "Nothing was measured of what the search bought: training.seed draws the test rows too, and "
                "those of the best config are others than those of the config's own values."
            )
        n_test = _n_rows(summary, "test")
        few = f"{_count(n_test, 'test row')} {'is' if n_test == 1 else 'are'} too few"
        why = few if n_test else "there are no test rows"
        return (
            f"Nothing was measured of what the search bought: {why}, and on the rows that it was chosen by a "
            "best trial looks better than it is."
        )
    verdict = {
        "better": "surely better than",
        "unsure": "not surely better than",
        "worse": "surely worse than",
    }
    return (
        f"On the {_count(gain.n, 'test row')} the best config is {verdict[gain.verdict]} the config's own "
        f"values: its {_name(gain.metric)} is {_change(gain)}."
    )


def _passed_over(passed_over: PassedOver, summary: StudySummary) -> str:
    part, error = summary.metric.partition(".")[0].replace("_", " "), _name(passed_over.error)
    in_ensemble = "" if summary.best.number == 0 else ", in a larger ensemble"
    return (
        f"The config's own values stay{in_ensemble}. Trial {passed_over.number:,} has "
        f"{passed_over.percent:.1f}% less {part} {error}, but few rows decide that: the 95% interval of that "
        f"of the own values reaches {passed_over.unsure_percent:.0f}% to either side, and a trial has to lie "
        "below it."
    )


def _ensemble(summary: StudySummary) -> Iterator[str]:
    """Says of a larger ensemble what it costs, where dlreg chose to try it."""
    best, plain = (chosen.values.get("model.ensemble") for chosen in (summary.best, summary.plain))
    if summary.is_default_space and best is not None and best != plain:
        yield (
            f"The best config has a larger ensemble, {best} networks in place of {plain} for each embedding "
            f"and fold: it takes about {best / plain:.2g} times as long to train and to predict."
        )


def _name(metric: str) -> str:
    return {"r2": "R²"}.get(metric, metric.upper())


def _change(gain: Gain) -> str:
    low, high = gain.interval_percent
    # More of r2 is better, and its regression is how much less there is.
    if gain.metric == "r2":
        ends = f"{_points(-high)} to {_points(-low)}"
        return f"{_points(-gain.regression_percent)} (95% interval {ends})"
    return f"{_percent(gain.regression_percent)} (95% interval {_percent(low)} to {_percent(high)})"


def _percent(percent: float) -> str:
    return f"{abs(percent):.1f}% {'lower' if percent < 0 else 'higher'}"


def _points(percent: float) -> str:
    return f"{abs(percent) / 100:.3f} {'lower' if percent < 0 else 'higher'}"


def _optimism(optimism: Optimism, summary: StudySummary) -> str:
    part = optimism.part.replace("_", " ").replace("out of fold", "out-of-fold")
    n_test = _n_rows(summary, "test")
    chosen_by, tested_on = _count(optimism.n, f"{part} row"), _count(n_test, "test row")
    trials = _count(summary.counts["finished"], "trial")
    head = f"The best of {trials} was chosen by {chosen_by}, and may look better on these than it is"
    counts = {chosen_by: optimism.n, tested_on: n_test}
    if few := [rows for rows, n_rows in counts.items() if n_rows < LEAST_ROWS_TO_TELL]:
        return f"{head}; {' and '.join(few)} are too few to tell by how much."
    best, plain = (_growth(optimism.metric, *values) for values in (optimism.best, optimism.plain))
    return (
        f"{head}: from these to the {tested_on} its {_name(optimism.metric)} {best}, that of the config's "
        f"own values {plain}."
    )


def _growth(metric: str, first: float, second: float) -> str:
    """How a metric changes from some rows to others, with no more digits than rows can tell."""
    verb = "grew" if second > first else "fell"
    if metric == "r2":
        return f"{verb} by about {abs(second - first):.2f}"
    percent = round(100 * abs(second / first - 1))
    return f"{verb} by about {percent}%" if percent else "stayed about the same"


def _n_rows(summary: StudySummary, part: str) -> int:
    n_rows = ((summary.best.metrics or {}).get(part) or {}).get("n", 0)
    return int(n_rows)


def _advice(summary: StudySummary) -> str | None:
    part = summary.metric.partition(".")[0]
    n_rows, n_trained = _n_rows(summary, part), _n_rows(summary, "train")
    is_enough = n_rows >= FEW_ROWS or n_trained < LEAST_ROWS_TO_FOLD
    if part != "validation" or is_enough or summary.best.number == 0:
        return None
    few = f"{_count(n_rows, 'row')} {'is' if n_rows == 1 else 'are'} few to choose by"
    return (
        f"Next: {few}; --set training.cross_validation=5 chooses by training rows out of fold, and takes "
        "some five times as long."
    )
