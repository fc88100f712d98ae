"""The schema of the config: every key with its type, range, default and meaning.

What a config may say stands here and nowhere else: messages, completion, the JSON Schema for editors and
the config of all keys in the docs are made from it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    WithJsonSchema,
)

from dlreg.config.checks import (
    check_comment,
    check_country,
    check_database,
    check_delimiter,
    check_gate,
    check_local_path,
    check_metric,
    check_text_encoding,
    check_time,
)
from dlreg.config.date_formats import (
    EPOCHS,
    SUPPORTED_DATE_DIRECTIVES,
    check_date_format,
    check_time_zone,
)
from dlreg.config.places import Origins
from dlreg.errors import Fault

ColumnType = Literal["number", "category", "date"]
SplitMethod = Literal["random", "ordered", "group", "time"]
# What comes later is predicted from what came before.
FORWARD_METHODS: tuple[SplitMethod, ...] = ("ordered", "time")
NumericScaling = Literal["standard", "minmax", "robust", "robust_clip", "quantile", "none"]
Loss = Literal["mse", "mae", "huber", "log_cosh"]
# Element by element only, one name for each function (and `swish`, as silu is widely known).
Activation = Literal[
    "relu", "leaky_relu", "relu6", "elu", "selu", "celu", "gelu", "silu", "swish", "mish",
    "linear", "tanh", "sigmoid", "log_sigmoid", "softplus", "softsign", "exponential", "squareplus",
    "hard_sigmoid", "hard_tanh", "hard_silu", "tanh_shrink", "soft_shrink", "hard_shrink",
    "sparse_plus", "sparse_sigmoid",
]  # fmt: skip
# The names that `dlreg.model` has for these, spelled out: `schema` and `check` import no model.
EmbeddingName = Literal["none", "periodic", "piecewise_linear"]
TrackerName = Literal["tensorboard", "mlflow"]
ParameterGroup = Literal["weights", "biases", "embeddings", "feature_scale"]
BlendedModel = Literal["ridge", "trees"]
Distribution = Literal["uniform", "log_uniform"]
MOST_MEMBERS = 100


# Which alternative a value is meant to be, so that a fault names what is wrong with that one alone.
def _text_or_list(value: object) -> str:
    return "text" if isinstance(value, str) else "list"


def _text_or_number(value: object) -> str:
    return "text" if isinstance(value, str) else "number"


def _list_or_number(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "number"


def _text_or_mapping(value: object) -> str:
    return "text" if isinstance(value, str) else "mapping"


def _text_number_or_nothing(value: object) -> str:
    return "nothing" if value is None else _text_or_number(value)


def _range_or_values(value: object) -> str:
    is_list = isinstance(value, SearchValues) or (isinstance(value, dict) and "values" in value)
    return "values" if is_list else "range"


# What is blended was once a matter of yes or no: yes is a ridge regression.
def _list_of_blended(value: object) -> object:
    return (["ridge"] if value else []) if isinstance(value, bool) else value


def _each_once(blended: tuple[BlendedModel, ...]) -> tuple[BlendedModel, ...]:
    return tuple(name for name in get_args(BlendedModel) if name in blended)


# A folder of such a name is written ./disk.
CACHE_WORDS = ("auto", "memory", "disk")


def _word_or_folder(value: object) -> str:
    return "word" if value in CACHE_WORDS else "folder"


LocalPath = Annotated[Path, Field(strict=False), BeforeValidator(check_local_path)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
DateFormat = Annotated[str, AfterValidator(check_date_format)]
Country = Annotated[str, AfterValidator(check_country)]
TimeZone = Annotated[str, AfterValidator(check_time_zone)]
Gate = Annotated[str, AfterValidator(check_gate)]
Year = Annotated[int, Field(ge=100, le=9999)]
TimeLimit = Annotated[
    Annotated[str, AfterValidator(check_time), Tag("text")]
    | Annotated[float, Field(gt=0), Tag("number")]
    | Annotated[None, Tag("nothing")],
    Discriminator(_text_number_or_nothing),
]
WholeOrAuto = Annotated[
    Annotated[Literal["auto"], Tag("text")] | Annotated[int, Field(ge=1, le=2**31 - 1), Tag("number")],
    Discriminator(_text_or_number),
]
Width = Annotated[int, Field(ge=1, le=65536)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Remark:
    """What the config of all keys says of a key beside its description, see `dlreg.config.reference`."""

    text: str


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DateColumn(_Section):
    """How the dates of a column are written."""

    format: DateFormat = Field(description="The format of the dates.")
    latest: Year | None = Field(
        default=None,
        description="The year that %y names at the latest, so that it is one of the hundred up to it.",
    )


class DataConfig(_Section):
    """Which table is read, how, and which of its rows test the model."""

    path: Annotated[LocalPath, Remark("relative paths start from this file's folder")] = Field(
        description="The table to learn from: a file, a folder or pattern of files, or - (standard input)."
    )
    target: str = Field(description="The column to predict.")
    features: Annotated[
        Annotated[Literal["all"], Tag("text")] | Annotated[Texts, Field(min_length=1), Tag("list")],
        Discriminator(_text_or_list),
    ] = Field(
        default="all",
        description="The columns to predict from: all but the target, or a list; ro* is all that begin so.",
    )
    exclude: Texts = Field(default=(), description="Columns to leave out, by name or pattern.")
    encoding: Annotated[str, AfterValidator(check_text_encoding)] = Field(
        default="utf-8", description="The text encoding of the CSV, for example cp949."
    )
    delimiter: Annotated[
        str, AfterValidator(check_delimiter), Remark("or whitespace for runs of blanks and tabs")
    ] = Field(default=",", description="The character between two cells.")
    header: Annotated[bool, Remark("false needs names")] = Field(
        default=True, description="Whether the first row holds the names of the columns."
    )
    names: Annotated[Texts, Field(min_length=1)] | None = Field(
        default=None, description="The names of the columns of a file without a header."
    )
    skip_rows: Annotated[int, Remark("titles, or sep=;")] = Field(
        default=0, ge=0, le=1_000_000, description="Lines above the header that are no rows."
    )
    skip_footer: Annotated[int, Remark("blank ones do not count")] = Field(
        default=0, ge=0, le=1000, description="Lines at the end that are no rows."
    )
    comment: Annotated[str, AfterValidator(check_comment)] | None = Field(
        default=None, description='What lines start with that are no rows, for example "#".'
    )
    skip_initial_space: Annotated[bool, Remark("needed where quotes follow them")] = Field(
        default=False, description="Whether blanks before a cell are no part of it."
    )
    sheet: Annotated[str | None, Remark("null for the first")] = Field(
        default=None, description="The sheet of an Excel workbook."
    )
    decimal: Literal[".", ","] = Field(
        default=".", description="The character before the decimals of a number."
    )
    thousands: Literal[",", ".", " ", "'", "_"] | None = Field(
        default=None, description="The character that groups the digits of a number."
    )
    missing_values: Annotated[Texts, Remark("beside empty cells, NA, NaN, null, None …")] = Field(
        default=(), description="Further texts that mean a missing value."
    )
    non_data_rows: Annotated[
        Literal["refuse", "exclude", "keep"], Remark("totals, averages, units under the header")
    ] = Field(default="refuse", description="What becomes of rows that are no observations.")
    types: Annotated[
        dict[str, ColumnType], Remark("number also reads cells with a unit: 16.6%, €71, (79.01)")
    ] = Field(default={}, description="The type of a column, where the guess is wrong.")
    fold_case: Annotated[bool, Remark("blanks around a cell never tell levels apart")] = Field(
        default=False, description="Whether levels that differ in case alone are one, as elm and Elm."
    )
    dates: Annotated[
        dict[
            str,
            Annotated[
                Annotated[DateFormat, Tag("text")] | Annotated[DateColumn, Tag("mapping")],
                Discriminator(_text_or_mapping),
            ],
        ],
        Remark(
            f"ISO dates need none, others are made of {' '.join(SUPPORTED_DATE_DIRECTIVES)} or are "
            f"{' or '.join(EPOCHS)}; %y is 1969 to 2068, or 1931 to 2030 with "
            '{format: "%d.%m.%y", latest: 2030}'
        ),
    ] = Field(default={}, description='Formats of date columns, for example "%d/%m/%Y".')
    time_zone: Annotated[
        TimeZone | None, Remark('UTC, "+01:00", Europe/Berlin …; also that of cells without an offset')
    ] = Field(default=None, description="The zone into which dates with an offset from UTC are brought.")
    holidays: Annotated[
        Country | None, Remark("a code of ISO 3166, such as KR or DE-BY; needs the extra holidays")
    ] = Field(default=None, description="The country whose public holidays dates tell as a category, too.")
    test_split: float | None = Field(
        default=0.2, ge=0, lt=1, description="The fraction of the rows that test the model; 0 for none."
    )
    test_path: Annotated[LocalPath | None, Remark("instead of test_split")] = Field(
        default=None, description="A CSV file of its own with the test rows."
    )
    validation_path: Annotated[LocalPath | None, Remark("instead of training.validation_split")] = Field(
        default=None, description="A CSV file of its own with the validation rows."
    )
    split: Annotated[
        SplitMethod,
        Remark("group keeps groups whole, time takes the latest"),
    ] = Field(
        default="random", description="How test and validation rows are drawn; ordered takes the last ones."
    )
    split_by: str | None = Field(default=None, description="The column that holds the group or the time.")
    cache: Annotated[
        Annotated[Literal["auto", "memory", "disk"], Tag("word")] | Annotated[LocalPath, Tag("folder")],
        Discriminator(_word_or_folder),
        Remark("or a folder to keep them in; auto: disk if they do not fit in memory"),
    ] = Field(default="auto", description="Where the rows are kept in training.")

    @property
    def is_on_disk(self) -> bool:
        """Whether the config says that rows are kept on disk."""
        return self.cache not in ("auto", "memory")

    @property
    def date_columns(self) -> dict[str, DateColumn]:
        """How the dates of each column in `dates` are written."""
        return {
            name: DateColumn(format=given) if isinstance(given, str) else given
            for name, given in self.dates.items()
        }


class PreprocessingConfig(_Section):
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
        Discriminator(_text_or_list),
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


class SampledRange(_Section):
    """The numbers that members draw from."""

    min: float = Field(ge=0, description="The least number that is drawn.")
    max: float = Field(ge=0, description="The largest number that is drawn.")
    distribution: Distribution = Field(
        default="uniform", description="Whether numbers are drawn evenly, or evenly by their logarithm."
    )


class SampledValues(_Section):
    """What each network of an ensemble draws for itself; the first one has what the config says."""

    learning_rate: SampledRange | None = Field(
        default=None, description="In place of training.learning_rate."
    )
    weight_decay: SampledRange | None = Field(default=None, description="In place of training.weight_decay.")
    dropout: SampledRange | None = Field(default=None, description="In place of model.dropout.")

    @property
    def drawn_keys(self) -> tuple[str, ...]:
        """The keys of the config that have other values in most members."""
        keys = {
            "training.learning_rate": self.learning_rate,
            "training.weight_decay": self.weight_decay,
            "model.dropout": self.dropout,
        }
        return tuple(key for key, drawn_from in keys.items() if drawn_from)


class ModelConfig(_Section):
    """The network."""

    hidden_layers: Annotated[tuple[Width, ...], Field(strict=False, max_length=100)] = Field(
        default=(64, 64),
        description="Units of each hidden layer, from first to last; none is a linear model.",
    )
    activation: Annotated[Activation, Remark("as Keras names them")] = Field(
        default="relu", description="The activation function of the hidden layers."
    )
    dropout: Annotated[
        Annotated[Share, Tag("number")]
        | Annotated[tuple[Share, ...], Field(strict=False, min_length=1, max_length=10), Tag("list")],
        Discriminator(_list_or_number),
    ] = Field(
        default=0.0,
        description="The fraction of units dropped while training; a list goes round the embeddings.",
    )
    dropout_schedule: Literal["constant", "fading"] = Field(
        default="constant", description="Whether dropout stays, or fades out along half a cosine."
    )
    l2: Annotated[float, Remark("adds l2 · Σ w² to the loss")] = Field(
        default=0.0, ge=0, description="The L2 penalty on the weights."
    )
    batch_norm: bool = Field(default=False, description="Whether hidden layers are batch-normalised.")
    parametric_activation: bool = Field(
        default=False, description="Whether each unit learns how much of the activation it takes."
    )
    feature_scale: bool = Field(
        default=False, description="Whether the first layer's inputs have learnt factors."
    )
    initializer: Literal["glorot_uniform", "he_normal"] = Field(
        default="glorot_uniform", description="Where the weights start."
    )
    ensemble: int = Field(
        default=1,
        ge=1,
        le=MOST_MEMBERS,
        description="Networks trained side by side, of each embedding and fold.",
    )
    ensemble_kind: Annotated[
        Literal["independent", "shared"],
        Remark("shared is one network with a first scaling and an output node for each member"),
    ] = Field(default="independent", description="Whether these networks share their weights.")
    ensemble_selection: Annotated[
        Literal["all", "greedy"],
        Remark("greedy adds the one that helps most to those before, again and again"),
    ] = Field(
        default="all", description="Whether all networks predict, or those that predict unseen rows best."
    )
    sample: Annotated[
        SampledValues | None,
        Remark("{dropout: {min: 0, max: 0.3}}; learning_rate and weight_decay, too"),
    ] = Field(
        default=None, description="What each network of an ensemble draws for itself; null for nothing."
    )
    blend: Annotated[
        tuple[BlendedModel, ...],
        Field(strict=False),
        BeforeValidator(_list_of_blended),
        AfterValidator(_each_once),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "boolean"},
                    {"type": "array", "items": {"type": "string", "enum": list(get_args(BlendedModel))}},
                ]
            }
        ),
        Remark("[ridge, trees] | [ridge] | [trees]; true is [ridge]"),
    ] = Field(
        default=(), description="What is weighed with the embeddings by out-of-fold predictions, if anything."
    )

    @property
    def dropouts(self) -> tuple[float, ...]:
        """The dropout of each embedding's members; where there are fewer than embeddings, they repeat."""
        return self.dropout if isinstance(self.dropout, tuple) else (self.dropout,)

    @property
    def independent_members(self) -> int:
        """Networks of each embedding and fold that have weights of their own."""
        return 1 if self.ensemble_kind == "shared" else self.ensemble

    @property
    def shared_members(self) -> int:
        """How many members share the weights of each of these networks."""
        return self.ensemble if self.ensemble_kind == "shared" else 1


class ConstantSchedule(_Section):
    """The learning rate stays as it is."""

    name: Literal["constant"] = Field(default="constant", description="The name of the schedule.")


class CosineSchedule(_Section):
    """The learning rate rises over the warm-up, then falls along half a cosine."""

    name: Literal["cosine"] = Field(default="cosine", description="The name of the schedule.")
    warmup_epochs: int = Field(default=0, ge=0, description="Epochs in which the learning rate rises.")
    final_fraction: float = Field(
        default=0.0, ge=0, le=1, description="The final learning rate as a fraction of the given one."
    )


class StepSchedule(_Section):
    """The learning rate falls by a factor every so many epochs."""

    name: Literal["step"] = Field(default="step", description="The name of the schedule.")
    every_epochs: int = Field(default=30, ge=1, description="Epochs from one step to the next.")
    factor: float = Field(default=0.1, gt=0, lt=1, description="What a step multiplies the learning rate by.")


class PlateauSchedule(_Section):
    """The learning rate falls by a factor when the validation loss stops falling."""

    name: Literal["plateau"] = Field(default="plateau", description="The name of the schedule.")
    patience: int = Field(default=10, ge=1, description="Epochs without improvement before a step.")
    factor: float = Field(default=0.5, gt=0, lt=1, description="What a step multiplies the learning rate by.")
    min_delta: float = Field(default=0.0, ge=0, description="The least fall of the loss that counts.")
    min_learning_rate: float = Field(default=0.0, ge=0, description="The learning rate falls no further.")


class Coslog4Schedule(_Section):
    """The learning rate rises and falls four times, each time over twice as many steps."""

    name: Literal["coslog4"] = Field(default="coslog4", description="The name of the schedule.")


def _as_mapping(schedule: object) -> object:
    return {"name": schedule} if isinstance(schedule, str) else schedule


Schedule = ConstantSchedule | CosineSchedule | StepSchedule | PlateauSchedule | Coslog4Schedule
ScheduleName = Literal["constant", "cosine", "step", "plateau", "coslog4"]


class LearningRateFactors(_Section):
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


class EarlyStopping(_Section):
    """Training ends when the watched loss stops falling; the best weights are kept."""

    patience: WholeOrAuto = Field(
        default="auto",
        description="Epochs without improvement before the end; auto for a tenth of all, 20 at least.",
    )
    min_delta: float = Field(default=0.0, ge=0, description="The least fall of the loss that counts.")


class Refit(_Section):
    """After cross-validation each member goes on from its best epoch, with all training rows."""

    epochs_fraction: float = Field(
        default=0.4, gt=0, le=10, description="How many epochs, as a fraction of the member's best epoch."
    )
    learning_rate_fraction: float = Field(
        default=0.25, gt=0, le=1, description="Its peak, half way, as a fraction of learning_rate."
    )


class TrainingConfig(_Section):
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
        Discriminator(_text_or_number),
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
    refit: Refit | None = Field(
        default=None, description="Whether members go on with the rows of the fold they left out."
    )
    early_stopping: EarlyStopping | None = Field(
        default=EarlyStopping(), description="When to end before the last epoch; null for never."
    )
    restore_best_weights: bool = Field(
        default=True, description="Whether the weights of the best epoch are kept, or the last."
    )
    seed: int = Field(default=42, ge=0, le=2**32 - 1, description="What all randomness derives from.")


class RunConfig(_Section):
    """Where the run is kept, and what of the machine it uses."""

    dir: Annotated[LocalPath | None, Remark("such as runs/CONFIGNAME-1")] = Field(
        default=None, description="The run directory; null for the next free in runs."
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="Threads of an operation; null for what is best here."
    )
    compile_cache: Annotated[bool, Remark("in the user's cache folder")] = Field(
        default=True, description="Whether compiled programs are kept for the next run."
    )
    log: Annotated[tuple[TrackerName, ...], Field(strict=False)] = Field(
        default=(), description="Trackers that are told of the training: any of tensorboard, mlflow."
    )


class SearchRange(_Section):
    """The numbers of a range."""

    min: float = Field(description="The least number that is tried.")
    max: float = Field(description="The largest number that is tried.")
    distribution: Distribution = Field(
        default="uniform", description="Whether numbers are drawn evenly, or evenly by their logarithm."
    )


class SearchValues(_Section):
    """Some values."""

    values: Annotated[tuple[Any, ...], Field(strict=False, min_length=1, max_length=1000)] = Field(
        description="The values that are tried."
    )


class SearchConfig(_Section):
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


class Config(_Section):
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
        fades = any(self.model.dropouts) and self.model.dropout_schedule == "fading"
        return fades or bool(self.training.refit) or self.training.schedule.name in ("cosine", "coslog4")

    def fault(self, message: str, *key: str | int, hint: str | None = None) -> Fault:
        """A fault at the value of a key, such as `config.fault("…", "data", "features", 2)`."""
        return self._origins.fault(message, key, hint)
