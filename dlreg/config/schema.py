"""The schema of the config: every key with its type, range, default and meaning.

What a config may say stands here and in `dlreg.config.sections`, and nowhere else: messages, completion, the
JSON Schema for editors and the config of all keys in the docs are made from it.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr

from dlreg.config.checks import check_gate
from dlreg.config.places import Origins
from dlreg.config.sections.data import DataConfig
from dlreg.config.sections.model import ModelConfig
from dlreg.config.sections.preprocessing import PreprocessingConfig
from dlreg.config.sections.run import RunConfig
from dlreg.config.sections.search import SearchConfig
from dlreg.config.sections.training import (
    AUTO_REFIT,
    AUTO_REFIT_OF_SMALL_RATES,
    MOST_OF_SMALL_RATES,
    Refit,
    TrainingConfig,
)
from dlreg.config.sections.values import Section
from dlreg.errors import Fault

Gate = Annotated[str, AfterValidator(check_gate)]


class Config(Section):
    """A whole config: what one run of training needs to know."""

    preset: Literal["standard", "fast", "accurate", "best"] = Field(
        default="standard", description="A named set of values for the keys below."
    )
    data: DataConfig = Field(description="The table to learn from, at least its path and target.")
    preprocessing: PreprocessingConfig = Field(
        default=PreprocessingConfig(), description="How columns become what the network sees."
    )
    model: ModelConfig = Field(default=ModelConfig(), description="The network.")
    training: TrainingConfig = Field(default=TrainingConfig(), description="How the network learns.")
    run: RunConfig = Field(default=RunConfig(), description="Where the run is kept.")
    gates: Annotated[tuple[Gate, ...], Field(strict=False, max_length=100)] = Field(
        default=(),
        description="What train and evaluate fail at (exit code 8), such as rmse>60 or validation.r2<0.3.",
    )

    search: SearchConfig = Field(default=SearchConfig(), description="For dlreg tune alone.")

    _origins: Origins = PrivateAttr(default_factory=Origins)

    @property
    def depends_on_epochs(self) -> bool:
        """Whether the learning rate or dropout of a step depends on how many epochs there will be."""
        drops = any(self.model.dropouts) or bool(self.model.sample and self.model.sample.dropout)
        fades = drops and self.model.dropout_schedule == "fading"
        return fades or bool(self.refitting) or self.training.schedule.name in ("cosine", "coslog4")

    @property
    def refitting(self) -> Refit | None:
        """How training goes on with the rows that validated; None if it does not.

        `auto` leaves a training of so many epochs as it is, and rows that have a file of their own.
        """
        training = self.training
        if training.refit != "auto":
            return training.refit
        validates = bool(training.validation_split or training.cross_validation)
        if training.epochs != "auto" or not (training.restore_best_weights and validates):
            return None
        return AUTO_REFIT_OF_SMALL_RATES if training.learning_rate <= MOST_OF_SMALL_RATES else AUTO_REFIT

    def fault(self, message: str, *key: str | int, hint: str | None = None) -> Fault:
        """A fault at the value of a key, such as `config.fault("…", "data", "features", 2)`."""
        return self._origins.fault(message, key, hint)
