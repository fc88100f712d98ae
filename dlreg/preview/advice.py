"""What is legal in a config and its table, but looks like a mistake."""

from dataclasses import dataclass
from typing import Literal

from dlreg.config.schema import Config
from dlreg.errors import Fault
from dlreg.preview.columns import suspect_columns
from dlreg.preview.rows import suspect_rows
from dlreg.preview.sentinels import suspect_sentinels
from dlreg.preview.settings import suspect_settings
from dlreg.preview.target import suspect_target
from dlreg.preview.written import suspect_written
from dlreg.table.parts import Dataset
from dlreg.table.table_names import name_of_table


@dataclass(frozen=True)
class Advice:
    """Something a user should look at before training.

    Attributes:
        about: Whether the config or the data would have to change.
        fault: What is suspicious, where, and a way out.
        spoils_loss: Whether a few rows would make up most of the loss, so that a learning curve tells of them
            rather than of the network.
    """

    about: Literal["config", "data"]
    fault: Fault
    spoils_loss: bool = False


def advise(config: Config, dataset: Dataset) -> tuple[Advice, ...]:
    """Looks for a target that is hard to learn, leaks, ids, rows in two parts and settings without effect."""
    suspicions = (
        *suspect_sentinels(config, dataset),
        *suspect_target(config, dataset),
        *suspect_columns(config, dataset),
        *suspect_written(config, dataset),
        *suspect_rows(config, dataset),
    )
    path = name_of_table(config.data.path)
    return (
        *(Advice("config", fault) for fault in suspect_settings(config, dataset)),
        # The header is where a column stands.
        *(
            Advice("data", Fault(suspicion.message, path, 1, hint=suspicion.hint), suspicion.spoils_loss)
            for suspicion in suspicions
        ),
    )
