"""Values of a config that are right by themselves but exclude each other."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, get_args

from dlreg.config.checks import WHITESPACE
from dlreg.config.places import KeyPath
from dlreg.config.sections.data import FORWARD_METHODS, ColumnType
from dlreg.limits import INTERVAL_METRIC_NAMES, RUN_PARTS, LimitError, read_limit
from dlreg.wording import quote


class Contradiction(NamedTuple):
    """Two values that are right by themselves but exclude each other.

    Attributes:
        key: The one at fault.
        other: The one it is at odds with.
        message: What is wrong, naming both.
        hint: A way out.
    """

    key: KeyPath
    other: KeyPath
    message: str
    hint: str


def contradictions(
    given: Mapping[str, Any], values: Mapping[str, Any], gates: Any = None
) -> Iterator[Contradiction]:
    """Finds values that exclude each other.

    Looks at plain values, which may be wrong in any other way, so that these
    faults come to light together with all others.

    Args:
        given: The sections as they stand in the file and after `--set`.
        values: The same over the defaults.
        gates: What the run must reach.
    """
    data = values["data"]
    yield from _split_contradictions(given["data"], data)
    yield from _character_contradictions(data)
    yield from _header_contradictions(data)
    yield from _listed_column_contradictions(data)
    yield from _column_type_contradictions(data)
    yield from _date_contradictions(data)
    yield from _training_contradictions(values["training"])
    yield from _member_contradictions(values)
    yield from _disk_contradictions(values)
    yield from _gate_contradictions(gates, values)
    yield from _search_contradictions(values["search"])


def _split_contradictions(given: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Contradiction]:
    split, split_by, target = data["split"], data["split_by"], data["target"]
    if given.get("test_path") is not None and given.get("test_split") is not None:
        message = "data.test_split and data.test_path exclude each other"
        hint = "Remove one, or set data.test_split to null."
        yield Contradiction(("data", "test_split"), ("data", "test_path"), message, hint)
    if given.get("test_path") is None and "test_split" in given and given["test_split"] is None:
        message = "data.test_split is null, but there is no data.test_path"
        hint = "Set data.test_split to 0 for no test rows."
        yield Contradiction(("data", "test_split"), ("data", "test_path"), message, hint)
    if split in ("group", "time") and split_by is None:
        message = f"data.split {split} needs data.split_by"
        hint = f"Set data.split_by to the column with the {split}."
        yield Contradiction(("data", "split"), ("data", "split_by"), message, hint)
    if split in ("random", "ordered") and split_by is not None:
        message = f"data.split_by has no meaning with data.split {split}"
        hint = "Set data.split to group or time, or leave data.split_by out."
        yield Contradiction(("data", "split_by"), ("data", "split"), message, hint)
    elif isinstance(split_by, str) and split_by == target:
        message = f"data.target is {quote(target)}, data.split_by cannot name it"
        hint = "Split by a column that is known before the target."
        yield Contradiction(("data", "split_by"), ("data", "target"), message, hint)


def _disk_contradictions(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    data, folds = values["data"], values["training"]["cross_validation"]
    if data["cache"] not in ("auto", "memory") and folds and data["split"] in FORWARD_METHODS:
        message = (
            f"data.cache {quote(data['cache'])} keeps rows on disk, training.cross_validation with "
            f"data.split {data['split']} needs them in memory"
        )
        hint = "Set training.cross_validation to null, or data.cache to memory."
        yield Contradiction(("data", "cache"), ("training", "cross_validation"), message, hint)


def _character_contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    # Either may be the delimiter too: in quotes, as in "1,5",2, it stands for itself.
    if data["decimal"] == data["thousands"] is not None:
        message = f"data.thousands and data.decimal are both {quote(data['decimal'])}"
        hint = "Set data.decimal or data.thousands to another character."
        yield Contradiction(("data", "thousands"), ("data", "decimal"), message, hint)
    if data["delimiter"] == WHITESPACE and data["thousands"] == " ":
        message = "data.thousands cannot be a blank where blanks stand between the cells"
        hint = "Set data.thousands to another character, or data.delimiter."
        yield Contradiction(("data", "thousands"), ("data", "delimiter"), message, hint)


def _header_contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    header, names = data["header"], data["names"]
    if header is False and names is None:
        message = "data.header is false, but there are no data.names"
        hint = "Set data.names to a list with a name for each column."
        yield Contradiction(("data", "header"), ("data", "names"), message, hint)
    if header is True and names is not None:
        message = "data.names is for a file without a header, data.header is true"
        hint = (
            "Set data.header to false; if there is a header that is not to be used, also data.skip_rows to 1."
        )
        yield Contradiction(("data", "names"), ("data", "header"), message, hint)
    places: dict[str, int] = {}
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and places.setdefault(name, index) != index:
            message = f"data.names has {quote(name)} twice"
            other = ("data", "names", places[name])
            yield Contradiction(
                ("data", "names", index), other, message, "Give each column a name of its own."
            )


def _listed_column_contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Columns that are listed twice, and the target where it cannot be."""
    first_places: dict[str, dict[str, int]] = {"features": {}, "exclude": {}}
    for name, places in first_places.items():
        columns = data[name] if isinstance(data[name], list) else []
        for index, column in enumerate(columns):
            if not isinstance(column, str):
                continue
            key: KeyPath = ("data", name, index)
            if column in places:
                message = f"data.{name} names {quote(column)} twice"
                yield Contradiction(key, ("data", name, places[column]), message, "Remove one of them.")
            elif column == data["target"]:
                message = f"data.target is {quote(column)}, data.{name} cannot name it"
                hint = "Remove it here, or change data.target."
                yield Contradiction(key, ("data", "target"), message, hint)
            elif column in first_places["features"]:
                message = f"the column {quote(column)} is in both data.features and data.exclude"
                other = ("data", "features", first_places["features"][column])
                yield Contradiction(key, other, message, "Remove it from one of them.")
            places.setdefault(column, index)


def _column_type_contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    target = data["target"] if isinstance(data["target"], str) else None
    column_types = get_args(ColumnType)
    types, dates = (data[name] if isinstance(data[name], dict) else {} for name in ("types", "dates"))
    for column, kind in types.items():
        key = ("data", "types", column)
        if column == target and kind in column_types and kind != "number":
            message = f"data.target is {quote(column)}, data.types cannot make it a {kind}"
            yield Contradiction(key, ("data", "target"), message, "A target is a number.")
        if column in dates and kind in column_types and kind != "date":
            message = f"the column {quote(column)} is a {kind} in data.types but has a format in data.dates"
            yield Contradiction(key, ("data", "dates", column), message, "Remove it from one of them.")
    if target is not None and target in dates:
        message = f"data.target is {quote(target)}, data.dates cannot make it a date"
        yield Contradiction(("data", "dates", target), ("data", "target"), message, "A target is a number.")


def _date_contradictions(data: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Formats that need another key, or a key that has no meaning for a format."""
    for column, given in data["dates"].items() if isinstance(data["dates"], dict) else ():
        entry = given if isinstance(given, dict) else {"format": given}
        date_format, latest = entry.get("format"), entry.get("latest")
        if not isinstance(date_format, str):
            continue
        key: KeyPath = ("data", "dates", column)
        if "%z" in date_format and data["time_zone"] is None:
            message = f"the dates of {quote(column)} have an offset, %z, but there is no data.time_zone"
            hint = "Set data.time_zone to UTC, or to the zone of cells without an offset."
            yield Contradiction(key, ("data", "time_zone"), message, hint)
        if latest is not None and "%y" not in date_format:
            message = f"the dates of {quote(column)} have no year of two digits, %y, for latest to place"
            yield Contradiction((*key, "latest"), (*key, "format"), message, "Leave latest out.")


def _training_contradictions(training: Mapping[str, Any]) -> Iterator[Contradiction]:
    optimizer, momentum, epochs = (training[key] for key in ("optimizer", "momentum", "epochs"))
    if optimizer in ("adam", "adamw", "nadam", "muon") and isinstance(momentum, int | float) and momentum > 0:
        message = f"training.momentum has no meaning with training.optimizer {optimizer}"
        hint = "Choose sgd or rmsprop, or leave training.momentum out."
        yield Contradiction(("training", "momentum"), ("training", "optimizer"), message, hint)
    schedule = training["schedule"]
    warmup = schedule.get("warmup_epochs") if isinstance(schedule, dict) else None
    if isinstance(warmup, int) and isinstance(epochs, int) and 0 < epochs <= warmup:
        message = "training.schedule.warmup_epochs must be below training.epochs"
        key = ("training", "schedule", "warmup_epochs")
        hint = "Shorten the warm-up or train longer."
        yield Contradiction(key, ("training", "epochs"), f"{message}, found {warmup} and {epochs}", hint)


def _member_contradictions(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    training, model = values["training"], values["model"]
    folds, fraction = training["cross_validation"], training["validation_split"]
    if folds is not None and isinstance(fraction, int | float) and fraction > 0:
        message = "training.validation_split and training.cross_validation exclude each other"
        hint = "Leave validation_split out, or set cross_validation to null."
        yield Contradiction(("training", "validation_split"), ("training", "cross_validation"), message, hint)
    if values["data"]["validation_path"] is not None:
        for key, is_given in (
            ("cross_validation", folds is not None),
            ("validation_split", isinstance(fraction, int | float) and fraction > 0),
        ):
            if is_given:
                message = f"data.validation_path and training.{key} exclude each other"
                hint = f"Leave {key} out, or set data.validation_path to null."
                yield Contradiction(("training", key), ("data", "validation_path"), message, hint)
    if isinstance(model["blend"], bool | list | tuple) and model["blend"] and folds is None:
        message = "model.blend needs training.cross_validation"
        hint = "Set training.cross_validation to 5, or model.blend to false."
        yield Contradiction(("model", "blend"), ("training", "cross_validation"), message, hint)
    yield from _sharing_contradictions(model)
    yield from _sampling_contradictions(values)
    if isinstance(training["refit"], dict):
        lacking = lacking_parts(values)
        if {"validation", "out_of_fold"} <= set(lacking):
            message = "training.refit needs rows that validate"
            hint = "Set training.validation_split, or training.refit to null."
            yield Contradiction(("training", "refit"), lacking["validation"], message, hint)
        if not training["restore_best_weights"]:
            hint = "Leave restore_best_weights out, or set training.refit to null."
            message = "training.refit needs training.restore_best_weights"
            other = ("training", "restore_best_weights")
            yield Contradiction(("training", "refit"), other, message, hint)


def _sharing_contradictions(model: Mapping[str, Any]) -> Iterator[Contradiction]:
    """What members that share their weights cannot do without, or with."""
    if model["ensemble_kind"] != "shared":
        return
    hint = "{}, or leave model.ensemble_kind out."
    for key, is_at_odds, needed, way_out in (
        ("ensemble", model["ensemble"] == 1, "several members", "Set model.ensemble to 16"),
        ("hidden_layers", model["hidden_layers"] in ([], ()), "hidden layers", "Set model.hidden_layers"),
        (
            "batch_norm",
            model["batch_norm"] is True,
            "layers without batch_norm",
            "Set model.batch_norm to false",
        ),
    ):
        if is_at_odds:
            message = f"model.ensemble_kind shared needs {needed}"
            yield Contradiction(("model", "ensemble_kind"), ("model", key), message, hint.format(way_out))


def _sampling_contradictions(values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Members that differ, or are selected, where there is nothing to differ or to tell them apart."""
    model, sample, lacking = values["model"], values["model"]["sample"], lacking_parts(values)
    if model["ensemble_selection"] == "greedy" and {"validation", "out_of_fold"} <= set(lacking):
        message = "model.ensemble_selection greedy needs rows that validate"
        hint = "Set training.validation_split, or ensemble_selection to all."
        yield Contradiction(("model", "ensemble_selection"), lacking["validation"], message, hint)
    if not isinstance(sample, dict):
        return
    for other, is_at_odds, needed, way_out in (
        ("ensemble_kind", model["ensemble_kind"] == "shared", "independent members", "independent"),
        ("ensemble", model["ensemble"] == 1, "several members", "16"),
    ):
        if is_at_odds:
            hint = f"Set model.{other} to {way_out}, or sample to null."
            yield Contradiction(("model", "sample"), ("model", other), f"model.sample needs {needed}", hint)
    yield from _range_contradictions(sample)


def _range_contradictions(sample: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Ranges of `model.sample` that hold no numbers, or such as their key does not take."""
    if not any(sample.values()):
        message = "model.sample names nothing to draw"
        hint = "Name a range, such as dropout: {min: 0, max: 0.3}, or set model.sample to null."
        yield Contradiction(("model", "sample"), ("model", "ensemble"), message, hint)
    for name, drawn in sample.items():
        if not isinstance(drawn, dict):
            continue
        key: KeyPath = ("model", "sample", name)
        least, largest = drawn.get("min"), drawn.get("max")
        if not (isinstance(least, int | float) and isinstance(largest, int | float)):
            continue
        if least >= largest:
            message = f"model.sample.{name}: min must be below max, found {least} and {largest}"
            hint = "Swap them, or set the key itself to a single value."
            yield Contradiction((*key, "max"), (*key, "min"), message, hint)
        if least == 0 and (name == "learning_rate" or drawn.get("distribution") == "log_uniform"):
            message = f"model.sample.{name}: min must be above 0"
            yield Contradiction((*key, "min"), key, message, "Raise min, such as to 1e-6.")
        if name == "dropout" and largest >= 1:
            message = f"model.sample.dropout: max must be below 1, found {largest}"
            yield Contradiction((*key, "max"), key, message, "Lower max, such as to 0.3.")


def lacking_parts(values: Mapping[str, Any]) -> dict[str, KeyPath]:
    """The parts of which there will be no rows, each with the key that would make some.

    Args:
        values: The sections over the defaults, see `dlreg.config.precedence.over_defaults`.
    """
    data, training = values["data"], values["training"]
    lacking: dict[str, KeyPath] = {}
    if not data["validation_path"] and not training["validation_split"]:
        lacking["validation"] = ("training", "validation_split")
    if not data["test_path"] and not data["test_split"]:
        lacking["test"] = ("data", "test_split")
    if not training["cross_validation"]:
        lacking["out_of_fold"] = ("training", "cross_validation")
    return lacking


def _gate_contradictions(gates: Any, values: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Gates on rows that there will not be: they could never pass."""
    lacking = lacking_parts(values)
    validates, folds = "validation" not in lacking, "out_of_fold" not in lacking
    for index, text in enumerate(gates if isinstance(gates, list) else ()):
        with suppress(LimitError, TypeError):
            limit = read_limit(text)
            if other := lacking.get(limit.part):
                message = f"gates[{index}] is about {limit.part} rows, and there will be none"
                parts = [part for part in RUN_PARTS if part not in lacking]
                hint = f"Name one of the parts {', '.join(parts)}."
                # Folds leave no place for validation rows.
                if limit.part != "validation" or not folds:
                    hint = f"Set {'.'.join(map(str, other))}, or n{hint[1:]}"
                yield Contradiction(("gates", index), other, message, hint)
            elif limit.metric in INTERVAL_METRIC_NAMES and not validates and not folds:
                other = ("training", "validation_split")
                message = f"gates[{index}] is about intervals, and there will be no rows to make them from"
                yield Contradiction(("gates", index), other, message, "Set training.validation_split.")


def _search_contradictions(search: Mapping[str, Any]) -> Iterator[Contradiction]:
    if search["trials"] is None and search["time_limit"] is None and search["method"] != "grid":
        message = "search.trials is null, but there is no search.time_limit"
        hint = "Say how many trials there shall be, or how long they may take."
        yield Contradiction(("search", "trials"), ("search", "time_limit"), message, hint)
    if search["method"] == "grid" and search["parameters"] == {}:
        message = "search.method grid tries what is named, but there are no search.parameters"
        hint = "Name values there, such as model.dropout: {values: [0, 0.1, 0.2]}, or choose tpe or random."
        yield Contradiction(("search", "method"), ("search", "parameters"), message, hint)
