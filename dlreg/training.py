"""The compiled training loop: one XLA program per epoch, with Keras's own mathematics inside.

`Model.fit` leaves the compiled world once per batch and pays over a millisecond each time. Here the
whole epoch – gathering the rows of every batch, forward, backward, the optimizer's step, then the
validation rows – is one program; Python only draws the next order of rows and decides when to stop.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

Metric = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# Validation needs no small batches; this many rows keep its activations within a few megabytes.
VALIDATION_ROWS = 4096


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after `patience` epochs without a fall of the watched loss by more than `min_delta`."""

    patience: int
    min_delta: float = 0.0


@dataclass(frozen=True)
class Plateau:
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    The rule of Keras's `ReduceLROnPlateau`, without a cooldown.
    """

    patience: int = 10
    factor: float = 0.5
    min_delta: float = 0.0
    min_learning_rate: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How training stands after an epoch.

    Attributes:
        epoch: 1-based.
        epochs: How many there will be at most.
        history: One list per name, as in Keras's `History.history`; an entry per epoch so far.
        best_epoch: 1-based epoch with the lowest validation loss (training loss without validation
            rows); 0 before any epoch had a finite loss.
        finished: Whether this was the last epoch.
        diverged: Whether the loss is no longer finite; training has stopped and the model holds the
            best epoch's weights.
    """

    epoch: int
    epochs: int
    history: Mapping[str, list[float]]
    best_epoch: int
    finished: bool
    diverged: bool


@dataclass
class _Watch:
    """Counts epochs without improvement, for early stopping and for the plateau schedule."""

    patience: int
    min_delta: float
    best: float = math.inf
    waited: int = 0

    def is_patient_with(self, value: float) -> bool:
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited < self.patience


def fit(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: keras.losses.Loss,
    x: np.ndarray,
    y: np.ndarray,
    x_validation: np.ndarray,
    y_validation: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    order_of_rows: Callable[[int], np.ndarray],
    metrics: Mapping[str, Metric] | None = None,
    early_stopping: EarlyStopping | None = None,
    plateau: Plateau | None = None,
    on_epoch: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Trains a model in place and leaves it with the weights of its best epoch.

    Args:
        model: Built, with one output node.
        optimizer: Stock Keras; its learning rate may be a schedule.
        loss: Made with `reduction="mean_with_sample_weight"`, so that the padding of a short last batch
            has no weight.
        x: Training rows, float32 of shape `(n_rows, n_features)`.
        y: Their scaled targets, float32 of shape `(n_rows, 1)`.
        x_validation: Validation rows; none are needed.
        y_validation: Their scaled targets.
        epochs: The most passes over the training rows.
        batch_size: Rows per step; the last step of an epoch has what is left.
        order_of_rows: For an epoch (0-based) a permutation of the row positions.
        metrics: Further means to report per epoch, each a function from `y_true` and `y_pred`, of shape
            `(batch_size, 1)`, to values of the same shape.
        early_stopping: When to stop before `epochs`.
        plateau: When to lower the learning rate; not together with a schedule.
        on_epoch: Told after each epoch.

    Returns:
        The last progress, with the whole history.
    """
    metrics = dict(metrics or {})
    optimizer.build(model.trainable_variables)
    run_epoch = compile_epoch(model, optimizer, loss, metrics, batch_size)
    data = [tf.constant(part) for part in (x, y, x_validation, y_validation)]
    watched = "val_loss" if len(x_validation) else "loss"
    names = ["loss", *metrics]
    names += [f"val_{name}" for name in names] if len(x_validation) else []
    history: dict[str, list[float]] = {name: [] for name in [*names, "learning_rate"]}
    stopping = _Watch(early_stopping.patience, early_stopping.min_delta) if early_stopping else None
    slowing = _Watch(plateau.patience, plateau.min_delta) if plateau else None
    best_epoch, best_weights = 0, model.get_weights()
    for epoch in range(epochs):
        values = run_epoch(*data, tf.constant(order_of_rows(epoch), dtype=tf.int32)).numpy().tolist()
        for name, value in zip(names, values, strict=True):
            history[name].append(value)
        history["learning_rate"].append(float(optimizer.learning_rate))
        diverged = not all(map(math.isfinite, (history[name][-1] for name in {"loss", watched})))
        if not diverged and (not best_epoch or history[watched][-1] < history[watched][best_epoch - 1]):
            best_epoch, best_weights = epoch + 1, model.get_weights()
        impatient = stopping is not None and not stopping.is_patient_with(history[watched][-1])
        if plateau and slowing and not slowing.is_patient_with(history[watched][-1]):
            slowing.waited = 0
            lowered = max(float(optimizer.learning_rate) * plateau.factor, plateau.min_learning_rate)
            optimizer.learning_rate = lowered
        finished = diverged or impatient or epoch + 1 == epochs
        progress = Progress(epoch + 1, epochs, history, best_epoch, finished, diverged)
        on_epoch(progress)
        if finished:
            break
    model.set_weights(best_weights)
    return progress


def compile_epoch(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: keras.losses.Loss,
    metrics: Mapping[str, Metric],
    batch_size: int,
) -> Callable[..., tf.Tensor]:
    """Compiles one epoch: every step over the training rows, then the validation loss.

    Returns:
        A function of `x, y, x_validation, y_validation, order` that trains the model in place and
        returns the epoch's means, shape `(n_values,)`: the loss and each metric over the training
        batches, each weighted by its rows as by Keras, then the same over the validation rows if
        there are any.
    """
    # Only batch statistics can tell padding from rows; for everything else a zero weight is enough.
    masked = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)

    def measure(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        mask = weight > 0 if masked and training else None
        y_pred = model(x, training=training, mask=mask)
        value = loss(y, y_pred, sample_weight=weight)
        value = tf.add_n([value, *model.losses]) if model.losses else value
        rows = tf.reduce_sum(weight)
        means = [tf.reduce_sum(metric(y, y_pred)[:, 0] * weight) / rows for metric in metrics.values()]
        return value, tf.stack([value, *means]) * rows

    def train_batch(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value, sums = measure(x, y, weight, training=True)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(value, [variable.value for variable in variables]), variables)
        return sums

    def walk(
        visit: Callable[..., tf.Tensor], x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, batch_size: int
    ) -> tf.Tensor:
        """The mean over rows of what `visit` sums per batch; the last batch is padded."""
        n_rows = int(order.shape[0])
        n_batches = -(-n_rows // batch_size)
        order = tf.pad(order, [[0, n_batches * batch_size - n_rows]])

        def step(batch: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = tf.slice(order, [batch * batch_size], [batch_size])
            weight = tf.cast(tf.range(batch_size) + batch * batch_size < n_rows, tf.float32)
            return batch + 1, sums + visit(tf.gather(x, rows), tf.gather(y, rows), weight)

        start = (tf.constant(0), tf.zeros(1 + len(metrics)))
        return tf.while_loop(lambda batch, _: batch < n_batches, step, start)[1] / n_rows

    def run_epoch(
        x: tf.Tensor, y: tf.Tensor, x_validation: tf.Tensor, y_validation: tf.Tensor, order: tf.Tensor
    ) -> tf.Tensor:
        means = walk(train_batch, x, y, order, min(batch_size, int(x.shape[0])))
        n_validation = int(x_validation.shape[0])
        if not n_validation:
            return means

        def validate_batch(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            return measure(x, y, weight, training=False)[1]

        rows = tf.range(n_validation)
        validation = walk(
            validate_batch, x_validation, y_validation, rows, min(VALIDATION_ROWS, n_validation)
        )
        return tf.concat([means, validation], axis=0)

    compiled: Callable[..., tf.Tensor] = tf.function(run_epoch, jit_compile=True, autograph=False)
    return compiled


def shuffled_rows(n_rows: int, seed: int) -> Callable[[int], np.ndarray]:
    """The order of rows of each epoch, drawn from `(seed, epoch)` alone, so that it needs no state."""
    return lambda epoch: np.random.default_rng((seed, epoch)).permutation(n_rows)
