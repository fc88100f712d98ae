"""A table of every kind of column, and pipelines of random weights that read it."""

from typing import get_args

import numpy as np
import pandas as pd
from support.tables import part_of

from dlreg.config.sections.data import DateColumn
from dlreg.config.sections.preprocessing import NumericScaling
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import combined_model, trained_model
from dlreg.model.mixture import mean_of
from dlreg.model.residual_scale import ResidualScale
from dlreg.model.weights import TrainedVariant
from dlreg.pipeline.export import export_pipeline
from dlreg.table.columns import read_cells, recognise_columns
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_table

N_TRAIN, N_ROWS = 150, 220
# All but none: as they are, the table's billions are too large for a network's single precision.
SCALINGS = [name for name in get_args(NumericScaling) if name != "none"]
DATE_FORMATS = {
    "iso": "%Y-%m-%d",
    "european": "%d/%m/%Y %H:%M",
    "packed": "%Y%m%d%H%M%S",
    "named": "%d-%b-%y",
    "wordy": "on %B %d, %Y at %H:%M:%S.%f!",
    "zoned": "%Y-%m-%dT%H:%M:%SZ",
    "year": "%Y",
    "twelve": "%A, %d %B %Y %I:%M:%S %p",
    "clock": "%H:%M",
    "moment": "%Y-%m-%dT%H:%M:%S%z",
    "day of the year": "%Y/%j",
    "counted": "epoch_seconds",
}


def fit(columns, cells, y, **options):
    settings = {"numeric": "standard", "missing": "median", "categorical": "onehot", "target": "standard"}
    train = {name: values[:N_TRAIN] for name, values in cells.items()}
    return fit_preprocessing(part_of(train, y[:N_TRAIN]), columns, **settings | options)


def drawn(preprocessing, network, *, n_members=1, mixture=None):
    """A pipeline and a Keras model of one network with random weights."""
    weights = initial_weights(network, 2, n_members)
    mixture = mixture or mean_of([0] * n_members, np.ones(n_members))
    exported = export_pipeline(preprocessing, [TrainedVariant(network, weights)], mixture)
    return exported, combined_model([trained_model(network, weights)], mixture, network.categories)


def some_scale(n_features):
    generator = np.random.default_rng(4)
    weights = 0.1 * generator.normal(size=n_features)
    return ResidualScale(
        weights, np.array([0.0, 2.0, 3.0, 9.0]), np.array([0.5, -0.2, 0.3]), -0.7, (-1.2, 0.1)
    )


def table_of_every_kind(folder):
    """A table of every kind of column; moments from 1906 to 2065, money in billions, odd names."""
    generator = np.random.default_rng(0)
    moments = pd.to_datetime(generator.integers(-2_000_000_000, 3_000_000_000, N_ROWS), unit="s")
    frame = pd.DataFrame({name: moments.strftime(date_format) for name, date_format in DATE_FORMATS.items()})
    frame["moment"] += generator.choice(["", "Z", "+01:00", "-0330"], N_ROWS)
    frame["counted"] = (moments - pd.Timestamp(0)) // pd.Timedelta("1s")
    frame["Wind speed (m/s)"] = generator.normal(size=N_ROWS) * 1e9 + 1e12
    frame["whole"] = generator.integers(0, 5, N_ROWS)
    frame["constant"] = 7
    frame["prediction"] = generator.choice(["a", "b", "", 'q"x', " blank "], N_ROWS)
    frame["풍속"] = generator.choice(["yes", "no"], N_ROWS)
    frame["dlreg/0"] = generator.normal(size=N_ROWS)
    frame.loc[3:9, ["Wind speed (m/s)", "dlreg/0"]] = np.nan
    frame.loc[12:20, ["iso", "wordy"]] = ""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    table = read_table(str(path), CsvFormat(time_zone="Europe/Berlin"), {*DATE_FORMATS, "prediction"})
    given = {name: DateColumn(format=date_format) for name, date_format in DATE_FORMATS.items()}
    columns = recognise_columns(table, table.frame.columns, {}, given)
    return columns, read_cells(table, columns)
