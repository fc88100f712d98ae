"""What the sections of a config have in common: kinds of values, and remarks on keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from dlreg.config.checks import check_local_path, check_time


@dataclass(frozen=True)
class Remark:
    """What the config of all keys says of a key beside its description, see `dlreg.config.reference`."""

    text: str


class Section(BaseModel):
    """A mapping of the config: unknown keys, values of another type and infinite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Distribution = Literal["uniform", "log_uniform"]


def text_or_list(value: object) -> str:
    """Which of the two a value is meant to be, so that a fault names what is wrong with that one alone."""
    return "text" if isinstance(value, str) else "list"


def text_or_number(value: object) -> str:
    """Which of the two a value is meant to be."""
    return "text" if isinstance(value, str) else "number"


def _text_number_or_nothing(value: object) -> str:
    return "nothing" if value is None else text_or_number(value)


LocalPath = Annotated[Path, Field(strict=False), BeforeValidator(check_local_path)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
TimeLimit = Annotated[
    Annotated[str, AfterValidator(check_time), Tag("text")]
    | Annotated[float, Field(gt=0), Tag("number")]
    | Annotated[None, Tag("nothing")],
    Discriminator(_text_number_or_nothing),
]

WholeOrAuto = Annotated[
    Annotated[Literal["auto"], Tag("text")] | Annotated[int, Field(ge=1, le=2**31 - 1), Tag("number")],
    Discriminator(text_or_number),
]

Width = Annotated[int, Field(ge=1, le=65536)]
Share = Annotated[float, Field(ge=0, lt=1)]
