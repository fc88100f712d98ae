"""The section `preprocessing`: how columns become what the network sees."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from dlreg.config.sections.values import Remark, Section, text_or_list

NumericScaling = Literal["standard", "minmax", "robust", "robust_clip", "quantile", "none"]

# The names that `dlreg.model` has for these, spelled out: `schema` and `check` import no model.
EmbeddingName = Literal["none", "periodic", "piecewise_linear"]


class PreprocessingConfig(Section):
    """How columns become what the network sees; fitted on the training rows alone."""

    numeric: NumericScaling = Field(default="standard", description="How numeric columns are scaled.")
    missing: Annotated[Literal["median", "mean", "error"], Remark("error refuses it")] = Field(
        default="median", description="What stands in for a missing number."
    )
    missing_indicator: bool = Field(
        default=False, description="Whether columns with missing numbers get a flag beside them."
    )
    categorical: Literal["onehot", "ordinal", "embedding"] = Field(
        default="onehot",
        description="How levels become numbers; embedding learns a vector per level, of more than nine.",
    )
    dates: Annotated[
        Literal["cycles", "calendar"],
        Remark("calendar adds month and day, weekday and hour, as categorical says"),
    ] = Field(
        default="cycles",
        description="Whether dates are cycles alone, or parts of the calendar as categories, too.",
    )
    embedding: Annotated[
        Annotated[EmbeddingName, Tag("text")]
        | Annotated[tuple[EmbeddingName, ...], Field(strict=False, min_length=1, max_length=10), Tag("list")],
        Discriminator(text_or_list),
    ] = Field(
        default="none",
        description="How the network embeds numbers; a list makes as many members of each.",
    )
    target: Annotated[
        Literal["standard", "minmax", "log", "log1p", "none"], Remark("undone before any metric")
    ] = Field(default="standard", description="How the target is scaled.")
    clip_predictions: bool = Field(
        default=False, description="Whether predictions stay within the training targets."
    )

    @property
    def embeddings(self) -> tuple[EmbeddingName, ...]:
        """The embedding of each variant of the network, at least one."""
        return (self.embedding,) if isinstance(self.embedding, str) else self.embedding
