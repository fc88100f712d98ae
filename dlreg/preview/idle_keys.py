"""Keys that say how a file is written, where no file of the config is written so."""

from collections.abc import Iterator, Mapping

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import ConfigError, Fault
from dlreg.table.csv_format import csv_format_of
from dlreg.table.source import Form, find_source
from dlreg.table.table_names import shown_path

# By what they do: to rows and columns, whose loss would be other data, or to characters alone.
_CHOOSING_KEYS: Mapping[str, tuple[Form, ...]] = {
    "skip_rows": ("text", "workbook"),
    "skip_footer": ("text", "workbook"),
    "comment": ("text", "workbook"),
    "names": ("text", "workbook"),
    "sheet": ("workbook",),
}
_READING_KEYS: Mapping[str, tuple[Form, ...]] = {
    "encoding": ("text",),
    "delimiter": ("text",),
    "skip_initial_space": ("text",),
}
_NAMES: Mapping[Form, str] = {
    "text": "a text file",
    "json": "a file of JSON Lines",
    "arrow": "a Parquet or Arrow file",
    "workbook": "an Excel workbook",
}


def refuse_idle_keys(config: Config) -> None:
    """Refuses keys that choose rows, columns or a sheet where no file of the config has such.

    Raises:
        ConfigError: With each of them.
        DataError: There is no such file.
        StorageError: It may not be read.
    """
    if faults := [*_idle(config, _CHOOSING_KEYS)]:
        raise ConfigError(*faults)


def suspect_idle_keys(config: Config) -> Iterator[Fault]:
    """A fault at each key that says how text is written where no file of the config is text."""
    return _idle(config, _READING_KEYS)


def _idle(config: Config, keys: Mapping[str, tuple[Form, ...]]) -> Iterator[Fault]:
    data = config.data
    given = [key for key in keys if getattr(data, key) != DataConfig.model_fields[key].get_default()]
    forms = _forms(data) if given else {}
    for key in given:
        if not forms.keys() & set(keys[key]):
            form, path = next(iter(forms.items()))
            wanted = " or ".join(_NAMES[form] for form in keys[key])
            yield config.fault(
                f"data.{key} is for {wanted}, and {path} is {_NAMES[form]}",
                "data",
                key,
                hint=f"Leave data.{key} out",
            )


def _forms(data: DataConfig) -> dict[Form, str]:
    """The forms of all files of a config, each with a file of it."""
    paths = [shown_path(path) for path in (data.path, data.validation_path, data.test_path) if path]
    sources = (find_source(path, csv_format_of(data)) for path in reversed(paths))
    return {source.form(): source.name for source in sources}
