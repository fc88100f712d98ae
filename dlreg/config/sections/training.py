"""The section `training`: how the network learns."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from dlreg.config.sections.values import Remark, Section, TimeLimit, WholeOrAuto, text_or_number

Loss = Literal["mse", "mae", "huber", "log_cosh"]

# The names that `dlreg.model` has for these, spelled out: `schema` and `check` import no model.
ParameterGroup = Literal["weights", "biases", "embeddings", "feature_scale"]


class ConstantSchedule(Section):
    """The learning rate stays as it is."""

    name: Literal["constant"] = Field(default="constant", description="The name of the schedule.")


class CosineSchedule(Section):
    """The learning rate rises over the warm-up, then falls along half a cosine."""

    name: Literal["cosine"] = Field(default="cosine", description="The name of the schedule.")
    warmup_epochs: int = Field(default=0, ge=0, description="Epochs in which the learning rate rises.")
    final_fraction: float = Field(
        default=0.0, ge=0, le=1, description="The final learning rate as a fraction of the given one."
    )


class StepSchedule(Section):
    """The learning rate falls by a factor every so many epochs."""

    name: Literal["step"] = Field(default="step", description="The name of the schedule.")
    every_epochs: int = Field(default=30, ge=1, description="Epochs from one step to the next.")
    factor: float = Field(default=0.1, gt=0, lt=1, description="What a step multiplies the learning rate by.")


class PlateauSchedule(Section):
    """The learning rate falls by a factor when the validation loss stops falling."""

    name: Literal["plateau"] = Field(default="plateau", description="The name of the schedule.")
    patience: int = Field(default=10, ge=1, description="Epochs without improvement before a step.")
    factor: float = Field(default=0.5, gt=0, lt=1, description="What a step multiplies the learning rate by.")
    min_delta: float = Field(default=0.0, ge=0, description="The least fall of the loss that counts.")
    min_learning_rate: float = Field(default=0.0, ge=0, description="The learning rate falls no further.")


class Coslog4Schedule(Section):
    """The learning rate rises and falls four times, each time over twice as many steps."""

    name: Literal["coslog4"] = Field(default="coslog4", description="The name of the schedule.")


def _as_mapping(schedule: object) -> object:
    return {"name": schedule} if isinstance(schedule, str) else schedule


Schedule = ConstantSchedule | CosineSchedule | StepSchedule | PlateauSchedule | Coslog4Schedule
ScheduleName = Literal["constant", "cosine", "step", "plateau", "coslog4"]


class LearningRateFactors(Section):
    """What multiplies the learning rate of some weights."""

    weights: float = Field(default=1.0, ge=0, description="Of weight matrices.")
    biases: float = Field(
        default=1.0, ge=0, description="Of biases and all else that has one number per unit."
    )
    embeddings: float = Field(default=1.0, ge=0, description="Of embeddings of numbers and categories.")
    feature_scale: float = Field(default=1.0, ge=0, description="Of the inputs' learnt factors.")
    weights_by_fan_in: bool = Field(
        default=False, description="Whether that of a weight matrix is divided by the root of its inputs."
    )


class EarlyStopping(Section):
    """Training ends when the watched loss stops falling; the best weights are kept."""

    patience: WholeOrAuto = Field(
        default="auto",
        description="Epochs without improvement before the end; auto for a tenth of all, 20 at least.",
    )
    min_delta: float = Field(default=0.0, ge=0, description="The least fall of the loss that counts.")


class Refit(Section):
    """Each member goes on from its best epoch, with the rows that it left out to validate, too."""

    epochs_fraction: float = Field(
        default=0.4, gt=0, le=10, description="How many epochs, as a fraction of the member's best epoch."
    )
    learning_rate_fraction: float = Field(
        default=1.0, gt=0, le=10, description="Its peak, half way, as a fraction of learning_rate."
    )


# What `auto` is: a small learning rate may be three times as large for a while, others as they are.
AUTO_REFIT, AUTO_REFIT_OF_SMALL_RATES = Refit(), Refit(learning_rate_fraction=3.0)
MOST_OF_SMALL_RATES = 0.001


def _text_mapping_or_nothing(value: object) -> str:
    return "nothing" if value is None else "text" if isinstance(value, str) else "mapping"


class TrainingConfig(Section):
    """How the network learns."""

    loss: Loss = Field(default="mse", description="What training minimises.")
    optimizer: Annotated[
        Literal["sgd", "adam", "adamw", "rmsprop", "nadam", "muon"],
        Remark("muon moves the matrices of hidden layers, and adam all else"),
    ] = Field(default="adam", description="The rule that updates the weights.")
    learning_rate: float = Field(default=0.001, gt=0, description="The step size, before the schedule.")
    learning_rate_factors: LearningRateFactors = Field(
        default=LearningRateFactors(), description="What multiplies the learning rate of some weights."
    )
    weight_decay: Annotated[float, Remark("decoupled, for every optimizer")] = Field(
        default=0.0, ge=0, description="The decay of the weights at each step."
    )
    weight_decay_groups: Annotated[tuple[ParameterGroup, ...], Field(strict=False, min_length=1)] = Field(
        default=("weights", "biases", "embeddings", "feature_scale"), description="The weights that decay."
    )
    momentum: float = Field(default=0.0, ge=0, lt=1, description="The momentum of sgd and rmsprop.")
    beta_1: float = Field(
        default=0.9, ge=0, lt=1, description="Of adam, adamw, nadam, muon: the memory of the mean gradient."
    )
    beta_2: float = Field(
        default=0.999, ge=0, lt=1, description="Of adam, adamw, nadam, muon: the memory of the mean square."
    )
    clip_norm: float | None = Field(
        default=None, gt=0, description="The largest norm of all gradients together."
    )
    ema_momentum: Annotated[float | None, Remark("such as 0.99; null for none")] = Field(
        default=None,
        ge=0,
        lt=1,
        description="The memory of the weights' moving average, which predicts in their place.",
    )
    schedule: Annotated[
        Annotated[Schedule, Field(discriminator="name")],
        BeforeValidator(_as_mapping, json_schema_input_type=ScheduleName | Schedule),
    ] = Field(
        default=ConstantSchedule(), description="How the learning rate changes: a name, or a mapping with it."
    )
    epochs: Annotated[
        Annotated[Literal["auto"], Tag("text")] | Annotated[int, Field(ge=1, le=10_000_000), Tag("number")],
        Discriminator(text_or_number),
        Remark("auto: 400 up to 20,000 rows, from there on fewer, 100 at least; or what auto_steps make"),
    ] = Field(default="auto", description="Passes over the training rows, at most.")
    auto_steps: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Steps of a training with epochs: auto; on small tables fewer."
    )
    time_limit: Annotated[TimeLimit, Remark("or a number of seconds")] = Field(
        default=None,
        description="How long train may take, such as 90s, 10m or 1h30m: it chooses epochs and ensemble.",
    )
    batch_size: Annotated[WholeOrAuto, Remark("auto: 16 up to 10,000 training rows, 32 above")] = Field(
        default="auto", description="Rows of one step, at most."
    )
    equal_batches: bool = Field(
        default=False,
        description="Whether all batches of an epoch are of one size; else the last has what is left.",
    )
    validation_split: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="The fraction of the rows that are not test to validate with; 0 for none.",
    )
    cross_validation: int | None = Field(
        default=None,
        ge=2,
        le=50,
        description="Folds; each member leaves one out to validate, in place of validation_split.",
    )
    refit: Annotated[
        Annotated[Literal["auto"], Tag("text")]
        | Annotated[Refit, Tag("mapping")]
        | Annotated[None, Tag("nothing")],
        Discriminator(_text_mapping_or_nothing),
        Remark("null for never; auto: where epochs is auto and some of the rows validate"),
    ] = Field(
        default="auto",
        description="Whether training goes on from the best epoch with the rows that validated, too.",
    )
    early_stopping: EarlyStopping | None = Field(
        default=EarlyStopping(), description="When to end before the last epoch; null for never."
    )
    restore_best_weights: bool = Field(
        default=True, description="Whether the weights of the best epoch are kept, or the last."
    )
    seed: int = Field(default=42, ge=0, le=2**32 - 1, description="What all randomness derives from.")
