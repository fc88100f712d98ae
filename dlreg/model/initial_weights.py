"""The initial weights of a network."""

from collections.abc import Iterator

import keras
import numpy as np

from dlreg.model.architecture import Network, ParameterSpec, parameter_specs
from dlreg.model.embeddings import BINS, CATEGORY_WIDTH, FREQUENCIES, FREQUENCY_SCALE, MIXED_HEIGHT
from dlreg.model.weights import Weights

# Far enough apart for the seeds of one member's layers.
MEMBER_SEEDS = 1000
# The standard deviation of embedded levels before training.
CATEGORY_SCALE = 0.1


def initial_weights(network: Network, seed: int, n_members: int = 1) -> list[Weights]:
    """The initial weights of each member of an ensemble, drawn with a seed of its own.

    `glorot_uniform` is what Keras draws for its layers. With `he_normal` weight matrices are
    N(0, 2 / fan_in) (He et al., 2015, https://arxiv.org/abs/1502.01852), the hidden biases U(-1, 1), and the
    output's weights N(0, 0.01 / fan_in), so that the first prediction is nearly the mean. In either
    case periodic embeddings start at w ~ N(0, 0.1²), b ~ U(-π, π), mixtures of bins about as large as the
    numbers, and embeddings of levels at N(0, 0.1²): near the origin, where a level never seen is, so that
    one of few rows is nearly like it. Members that share weights start at factors of -1 and 1, or of
    N(0, 1) where anything is embedded, the same for all values of one feature (Gorishniy, Kotelnikov and
    Babenko, 2024, https://arxiv.org/abs/2410.24210, and their code).

    Args:
        network: What is to be trained.
        seed: Of all members.
        n_members: How many to draw.
    """
    return [_initial(network, seed + MEMBER_SEEDS * member) for member in range(n_members)]


def _initial(network: Network, seed: int) -> Weights:
    generator = np.random.default_rng(seed)
    specs = list(parameter_specs(network))
    values = [
        (
            _drawn_factors(network, generator) if spec.layer == "member_scale" else _drawn(spec, generator)
        ).astype(np.float32)
        for spec in specs
    ]
    if network.initializer == "glorot_uniform":
        seeds = _kernel_seeds(network, seed)
        values = [
            value if spec.group == "embeddings" else _drawn_by_keras(spec, seeds)
            for spec, value in zip(specs, values, strict=True)
        ]
    return Weights(values, list(_statistics(network)))


def _drawn_by_keras(spec: ParameterSpec, seeds: Iterator[int]) -> np.ndarray:
    """The initial values of a parameter, as Keras's layers have them by default."""
    if spec.group == "weights":
        drawn = keras.initializers.GlorotUniform(seed=next(seeds))(spec.shape, dtype="float32")
        return np.asarray(keras.ops.convert_to_numpy(drawn))
    return (np.zeros if spec.kind in ("bias", "beta") else np.ones)(spec.shape, dtype=np.float32)


def _kernel_seeds(network: Network, seed: int) -> Iterator[int]:
    """The seed of each dense layer's kernel, by its place in the Keras model of one member."""
    place = 1
    for _ in network.hidden_layers:
        yield seed + place
        is_normed_and_active = network.batch_norm and not network.parametric_activation
        place += 1 + network.batch_norm + is_normed_and_active + bool(network.dropout)
    yield seed + place


def _statistics(network: Network) -> Iterator[np.ndarray]:
    """The moving mean and variance of each batch normalisation."""
    for units in network.hidden_layers if network.batch_norm else ():
        yield np.zeros(units, dtype=np.float32)
        yield np.ones(units, dtype=np.float32)


def _drawn_factors(network: Network, generator: np.random.Generator) -> np.ndarray:
    """The initial factors of members that share weights, `(n_members, width)`."""
    features = _features_of_values(network)
    shape = (network.shared_members, features[-1] + 1)
    is_embedded = network.embedding is not None or network.categories
    drawn = generator.standard_normal(shape) if is_embedded else generator.choice([-1.0, 1.0], shape)
    return np.asarray(drawn[:, features])


def _features_of_values(network: Network) -> np.ndarray:
    """Which feature each value comes from that the first layer reads, ascending at the end, `(width,)`."""
    first, end = network.plain_features
    numbers = np.arange(first)
    n_values = network.embedding.width // first - 1 if network.embedding else 0
    return np.concatenate(
        [
            numbers,
            np.repeat(numbers, n_values),
            np.arange(first, end),
            np.repeat(np.arange(end, network.n_features), CATEGORY_WIDTH),
        ]
    )


def _drawn(spec: ParameterSpec, generator: np.random.Generator) -> np.ndarray:
    """The initial values of a parameter, of `he_normal` where there is a choice."""
    normal, shape = generator.standard_normal, spec.shape
    if spec.layer == "frequencies":
        if spec.kind == "bias":
            return generator.uniform(-np.pi, np.pi, shape)
        return np.asarray(2 * np.pi * FREQUENCY_SCALE * normal(shape))
    if spec.group == "weights":
        gain = 0.1 if spec.layer == "output" else np.sqrt(2)
        return np.asarray(gain * normal(shape) / np.sqrt(spec.fan_in))
    if spec.layer == "bin_mixtures":
        return np.asarray(normal(shape) * np.sqrt(2 / BINS) / MIXED_HEIGHT)
    if spec.layer == "periodic" and spec.kind == "kernel":
        return np.asarray(normal(shape) / np.sqrt(FREQUENCIES))
    if spec.layer.startswith("category_"):
        return np.asarray(CATEGORY_SCALE * normal(shape))
    if spec.layer.startswith("hidden_"):
        return generator.uniform(-1, 1, shape)
    return np.zeros(shape) if spec.kind in ("bias", "beta") else np.ones(shape)
