"""The shape of a network: what it is made of, and every trainable tensor of it. No TensorFlow in here.

Whoever builds, computes, exports or counts a network reads it from here: `dlreg.model.keras_model` builds it
from stock Keras layers, `dlreg.engine.forward` computes it, `dlreg.pipeline.networks` writes it as ONNX.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, NamedTuple

from dlreg.model.embeddings import (
    CATEGORY_WIDTH,
    FREQUENCIES,
    PERIODIC_WIDTH,
    Embedding,
    Periodic,
    PiecewiseLinear,
)

# Keras's defaults.
BATCH_NORM_MOMENTUM = 0.99
BATCH_NORM_EPSILON = 1e-3

ParameterGroup = Literal["weights", "biases", "embeddings", "feature_scale"]


@dataclass(frozen=True)
class Network:
    """A network of dense layers with one linear output node, or one of each member that shares its weights.

    Each hidden layer is Dense → BatchNormalization (if asked for) → activation → Dropout (if asked
    for). Without hidden layers and embeddings the network is exactly a linear regression.

    Attributes:
        n_features: The width of its input, of shape `(n_rows, n_features)`; its output is `(n_rows, 1)`.
        hidden_layers: Units of each hidden layer.
        activation: What `keras.activations` calls it.
        dropout: The share of each hidden layer's outputs dropped in training.
        l2: Every weight matrix adds l2 · Σ w² to the loss.
        batch_norm: Whether to normalise each hidden layer over the batch.
        parametric_activation: Whether each unit learns how much of the activation it takes: x + a (f(x) - x),
            a from 1 on (https://arxiv.org/abs/2407.04491).
        feature_scale: Whether the first layer's inputs have learnt factors, from 1 on (the same source).
        initializer: `glorot_uniform` as Keras, or `he_normal`, see `dlreg.model.initial_weights`.
        embedding: Of the first features; None leaves them as they are.
        categories: How many levels each of the last features has, which is a level's position, embedded in
            `CATEGORY_WIDTH` dimensions; one never seen, the position after the last, is the origin.
        shared_members: How many members share its weights: each has factors of its own of what the first
            layer reads and an output node of its own, and their mean is the prediction. TabM-mini
            (Gorishniy, Kotelnikov and Babenko, 2024, https://arxiv.org/abs/2410.24210). 1: a plain network.
    """

    n_features: int
    hidden_layers: Sequence[int] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0
    l2: float = 0.0
    batch_norm: bool = False
    parametric_activation: bool = False
    feature_scale: bool = False
    initializer: str = "glorot_uniform"
    embedding: Embedding | None = None
    categories: Sequence[int] = ()
    shared_members: int = 1

    @property
    def plain_features(self) -> tuple[int, int]:
        """The start and the end of the features that are not embedded."""
        return (
            self.embedding.n_numbers if self.embedding else 0,
            self.n_features - len(self.categories),
        )

    @property
    def width(self) -> int:
        """How many values the first dense layer reads per row."""
        first, end = self.plain_features
        numbers = self.embedding.width if self.embedding else 0
        return numbers + end - first + CATEGORY_WIDTH * len(self.categories)


def hashable_network(network: Network, *, dropout: float, l2: float) -> Network:
    """The network as a key of what is compiled for it, with other numbers in place of those that are not."""
    layers, categories = tuple(network.hidden_layers), tuple(network.categories)
    return replace(network, hidden_layers=layers, categories=categories, dropout=dropout, l2=l2)


@dataclass(frozen=True)
class ParameterSpec:
    """One trainable tensor of a network.

    Attributes:
        layer: The name of its layer, as in the Keras model.
        kind: Its role there: `kernel`, `bias`, `gamma` or `beta`.
        shape: Without an axis of members.
        group: What it shares its learning rate with.
    """

    layer: str
    kind: Literal["kernel", "bias", "gamma", "beta"]
    shape: tuple[int, ...]
    group: ParameterGroup

    @property
    def fan_in(self) -> int:
        """The number of inputs, of a dense layer's kernel."""
        return self.shape[0]

    @property
    def is_hidden_matrix(self) -> bool:
        """Whether it is the weight matrix of a hidden layer."""
        return self.kind == "kernel" and self.layer.startswith("hidden_")


def parameter_specs(network: Network) -> Iterator[ParameterSpec]:
    """The trainable tensors of a network, in the order in which `forward` reads them."""
    if isinstance(network.embedding, Periodic):
        n_numbers = network.embedding.n_numbers
        waves, mixed = (n_numbers, FREQUENCIES), (n_numbers, FREQUENCIES, PERIODIC_WIDTH)
        yield ParameterSpec("frequencies", "kernel", waves, "embeddings")
        yield ParameterSpec("frequencies", "bias", waves, "embeddings")
        yield ParameterSpec("periodic", "kernel", mixed, "embeddings")
        yield ParameterSpec("periodic", "bias", (n_numbers, PERIODIC_WIDTH), "embeddings")
    elif isinstance(network.embedding, PiecewiseLinear) and network.embedding.n_mixtures:
        mixed = (*network.embedding.slopes.shape, network.embedding.n_mixtures)
        yield ParameterSpec("bin_mixtures", "kernel", mixed, "embeddings")
    for number, levels in enumerate(network.categories, start=1):
        yield ParameterSpec(f"category_{number}", "kernel", (levels, CATEGORY_WIDTH), "embeddings")
    if network.feature_scale:
        yield ParameterSpec("feature_scale", "kernel", (network.width,), "feature_scale")
    if network.shared_members > 1:
        yield ParameterSpec("member_scale", "kernel", (network.shared_members, network.width), "embeddings")
    before = network.width
    for number, units in enumerate(network.hidden_layers, start=1):
        yield ParameterSpec(f"hidden_{number}", "kernel", (before, units), "weights")
        if network.batch_norm:
            yield ParameterSpec(f"batch_norm_{number}", "gamma", (units,), "biases")
            yield ParameterSpec(f"batch_norm_{number}", "beta", (units,), "biases")
        else:
            yield ParameterSpec(f"hidden_{number}", "bias", (units,), "biases")
        if network.parametric_activation:
            yield ParameterSpec(f"activation_share_{number}", "kernel", (units,), "biases")
        before = units
    yield ParameterSpec("output", "kernel", (before, network.shared_members), "weights")
    yield ParameterSpec("output", "bias", (network.shared_members,), "biases")


class Variant(NamedTuple):
    """Members of one kind of network, side by side: they differ in nothing but seed and fold.

    Attributes:
        network: What each of them computes.
        n_members: How many there are.
    """

    network: Network
    n_members: int


def count_parameters(network: Network) -> int:
    """The numbers a network keeps, as Keras counts them.

    Those are its trainable tensors, the moving mean and variance of batch normalisation, the fixed slopes
    and offsets of a piecewise-linear embedding, and the origin of each embedded category.
    """
    trainable = sum(math.prod(spec.shape) for spec in parameter_specs(network))
    statistics = 2 * sum(network.hidden_layers) if network.batch_norm else 0
    bins = 2 * network.embedding.slopes.size if isinstance(network.embedding, PiecewiseLinear) else 0
    origins = CATEGORY_WIDTH * len(network.categories)
    return trainable + statistics + bins + origins


def members_by_variant(variants: Sequence[Variant]) -> list[slice]:
    """The positions of each variant's members among those of all variants."""
    ends = list(accumulate(variant.n_members for variant in variants))
    return [slice(end - variant.n_members, end) for variant, end in zip(variants, ends, strict=True)]
