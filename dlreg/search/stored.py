"""A trial, its result and the plan of a study as Optuna's storages keep them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import TypeAdapter

from dlreg.search.parameters import params_of, values_of
from dlreg.search.space import Space, is_within
from dlreg.search.study import StudyPlan
from dlreg.search.trials import Trial, TrialResult

SCHEMA_VERSION = 1
# What is read is held against it, and kept as it is: whole numbers stay such.
_SHAPE = TypeAdapter(TrialResult)
_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


def template(trial: Trial, space: Space, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    """A running trial to be stored; values outside of the space are no parameters of Optuna's."""
    known = is_within(trial.values, space)
    # Optuna would number the trials anew where a line of a journal is missing.
    attributes: dict[str, Any] = {"number": trial.number}
    attributes |= {"stops": texts(trial.stops)} if trial.stops else {}
    return create_trial(
        state=TrialState.RUNNING,
        params=params_of(trial.values, space) if known else {},
        distributions=distributions if known else {},
        user_attrs=attributes if known else attributes | {"values": dict(trial.values)},
    )


def stored_trial(stored: FrozenTrial, space: Space) -> Trial:
    """The trial that `template` made.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is damaged.
    """
    if stored.user_attrs["number"] != stored.number:
        raise ValueError(f"trial {stored.number} is missing")
    values = stored.user_attrs.get("values")
    values = values_of(stored.params, space) if values is None else values
    return Trial(stored.number, values, stops_of(stored.user_attrs))


def stops_of(attributes: Mapping[str, Any]) -> dict[int, float]:
    """The stops among the attributes of a stored trial."""
    return _numbers(attributes.get("stops", {}))


def keep_result(storage: BaseStorage, trial_id: int, result: TrialResult) -> None:
    """Finishes a trial of a storage: everything at `result`, and what Optuna's own tools look at."""
    storage.set_trial_user_attr(trial_id, "result", vars(result) | {"curve": texts(result.curve)})
    if result.state == "pruned":
        for epoch, loss in result.curve.items():
            storage.set_trial_intermediate_value(trial_id, epoch, loss)
    value = [result.value] if result.state == "complete" and result.value is not None else None
    storage.set_trial_state_values(trial_id, _STATES[result.state], value)


def stored_result(stored: FrozenTrial) -> TrialResult | None:
    """The result that `keep_result` kept; None where there is none.

    Raises:
        KeyError, TypeError, ValueError: It is damaged.
    """
    content = stored.user_attrs.get("result")
    if content is None:
        return None
    _SHAPE.validate_python(content)
    interval = content.get("interval")
    result = TrialResult(
        **{**content, "curve": _numbers(content["curve"]), "interval": interval and tuple(interval)}
    )
    if result.number != stored.number:
        raise ValueError(f"the result of trial {stored.number} is another's")
    return result


def plan_to_json(plan: StudyPlan) -> dict[str, Any]:
    """Plain values, as they are read again."""
    space = {key: asdict(plan.space[key]) for key in sorted(plan.space)}
    content = {
        "schema_version": SCHEMA_VERSION,
        "space": space,
        "method": plan.method,
        "seed": plan.seed,
        "window": plan.window,
        "maximise": plan.maximise,
        "own_values": dict(plan.own_values),
        "prune_epochs": plan.prune_epochs,
    }
    return dict(json.loads(json.dumps(content)))


def plan_differences(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What of two plans differs, by name; the window does not count."""
    names = [name for name in asked if name != "window" and kept.get(name) != asked[name]]
    return [name.replace("_", " ") for name in names]


def texts(losses: Mapping[int, float]) -> dict[str, float]:
    """Losses by epoch, for JSON, where keys are text."""
    return {str(epoch): loss for epoch, loss in losses.items()}


def _numbers(losses: Mapping[str, float]) -> dict[int, float]:
    return {int(epoch): float(loss) for epoch, loss in losses.items()}
