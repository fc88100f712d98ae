"""The section `search`: what `dlreg tune` tries."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from dlreg.config.checks import check_database, check_metric
from dlreg.config.sections.values import Distribution, Remark, Section, TimeLimit


def _range_or_values(value: object) -> str:
    is_list = isinstance(value, SearchValues) or (isinstance(value, dict) and "values" in value)
    return "values" if is_list else "range"


class SearchRange(Section):
    """The numbers of a range."""

    min: float = Field(description="The least number that is tried.")
    max: float = Field(description="The largest number that is tried.")
    distribution: Distribution = Field(
        default="uniform", description="Whether numbers are drawn evenly, or evenly by their logarithm."
    )


class SearchValues(Section):
    """Some values."""

    values: Annotated[tuple[Any, ...], Field(strict=False, min_length=1, max_length=1000)] = Field(
        description="The values that are tried."
    )


class SearchConfig(Section):
    """What `dlreg tune` tries, for how long, and what it chooses by; nothing else heeds it."""

    metric: Annotated[
        Annotated[str, AfterValidator(check_metric)],
        Remark("validation.rmse, or out_of_fold.rmse under cross-validation; train.… too, never test.…"),
    ] = Field(default="rmse", description="What the best trial is best in, on the rows that validate.")
    trials: Annotated[
        int | None, Remark("null, as with a time_limit or a grid, for as many as there are")
    ] = Field(default=50, ge=1, le=1_000_000, description="How many configs are tried, the plain one first.")
    time_limit: Annotated[TimeLimit, Remark("or a number of seconds")] = Field(
        default=None, description="When to stop trying, such as 90s, 10m or 1h30m."
    )
    method: Annotated[
        Literal["tpe", "random", "grid"],
        Remark("tpe learns from what was tried, grid tries every combination"),
    ] = Field(default="tpe", description="How values are chosen.")
    prune: Annotated[bool | None, Remark("null for yes, but under cross-validation")] = Field(
        default=None, description="Whether trials end early that fall behind."
    )
    storage: Annotated[
        Annotated[str, AfterValidator(check_database)] | None,
        Remark("null for a file in the study directory"),
    ] = Field(default=None, description="The URL of a database that several searches share.")
    parameters: dict[
        str,
        Annotated[
            Annotated[SearchRange, Tag("range")] | Annotated[SearchValues, Tag("values")],
            Discriminator(_range_or_values),
        ],
    ] = Field(default={}, description="What is tried of each key; none for what suits the config.")

    @property
    def is_given(self) -> bool:
        """Whether the config says anything of a search."""
        return self != SearchConfig()
