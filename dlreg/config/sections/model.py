"""The section `model`: the network, and how many of them there are."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from dlreg.config.sections.values import Distribution, Remark, Section, Share, Width

# Element by element only, one name for each function (and `swish`, as silu is widely known).
Activation = Literal[
    "relu", "leaky_relu", "relu6", "elu", "selu", "celu", "gelu", "silu", "swish", "mish",
    "linear", "tanh", "sigmoid", "log_sigmoid", "softplus", "softsign", "exponential", "squareplus",
    "hard_sigmoid", "hard_tanh", "hard_silu", "tanh_shrink", "soft_shrink", "hard_shrink",
    "sparse_plus", "sparse_sigmoid",
]  # fmt: skip

BlendedModel = Literal["ridge", "trees"]
MOST_MEMBERS = 100


def _list_or_number(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "number"


# What is blended was once a matter of yes or no: yes is a ridge regression.
def _list_of_blended(value: object) -> object:
    return (["ridge"] if value else []) if isinstance(value, bool) else value


def _each_once(blended: tuple[BlendedModel, ...]) -> tuple[BlendedModel, ...]:
    return tuple(name for name in get_args(BlendedModel) if name in blended)


class SampledRange(Section):
    """The numbers that members draw from."""

    min: float = Field(ge=0, description="The least number that is drawn.")
    max: float = Field(ge=0, description="The largest number that is drawn.")
    distribution: Distribution = Field(
        default="uniform", description="Whether numbers are drawn evenly, or evenly by their logarithm."
    )


class SampledValues(Section):
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


class ModelConfig(Section):
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
