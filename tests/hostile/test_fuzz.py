"""Any text is a config, any bytes are a table, or they are refused: nothing else, and within two seconds.

See tests/support/fuzzing.py for the long version.
"""

from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from support.fuzzing import EXAMPLES, feed, mutated
from support.tables import stream_source

from dlreg.commands.init import init
from dlreg.config.keys import override_keys
from dlreg.config.reading import parse_config, read_config
from dlreg.config.sections.data import DateColumn
from dlreg.config.writing import dump_config
from dlreg.config.yaml_source import decode_yaml, parse_yaml
from dlreg.errors import ConfigError, DataError, DlregError, Fault
from dlreg.table import csv_scan
from dlreg.table.columns import read_cells, recognise_columns
from dlreg.table.csv_format import CsvFormat
from dlreg.table.dataset import load_dataset
from dlreg.table.source import stream_tables

# ---------------------------------------------------------------- configs

CONFIGS = (
    *(
        path.read_text(encoding="utf-8")
        for path in sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
        if path.name != "full.yaml"
    ),
    "data: {path: t.csv, target: y}\n",
    "data: {path: t.csv, target: y}\ntraining: {epochs: 5}\n",
    'data:\n  path: t.csv\n  target: 2020\n  features: [no, 012, ""]\n  types: {가격: number}\n'
    '  dates: {x: "%d/%m/%Y"}\n  split: group\n  split_by: g\n',
    "data: {path: t.csv, target: y}\ntraining:\n  schedule: {name: cosine, warmup_epochs: 5}\n"
    "  early_stopping: null\nrun: {dir: x}\n",
    "data: {path: t.csv, target: y}\nmodel:\n  hidden_layers: [8, 8]\n  dropout: 1e-1\n# a comment\n",
    "data: {path: t.csv, target: y}\nsearch:\n  metric: validation.mae\n  time_limit: 1h30m\n  parameters:\n"
    "    training.learning_rate: {min: 1e-4, max: 1e-1, distribution: log_uniform}\n"
    "    model.hidden_layers: {values: [[64, 64], [8]]}\n    preset: {values: [standard]}\n",
    'data: {path: t.csv, target: y, encoding: cp949, delimiter: ";", decimal: ",", thousands: "."}\n',
)
KEYS = (
    *("data", "path", "target", "features", "exclude", "encoding", "delimiter", "decimal", "thousands"),
    *("missing_values", "types", "dates", "test_split", "test_path", "split", "split_by", "preprocessing"),
    *(
        "numeric",
        "missing",
        "categorical",
        "model",
        "hidden_layers",
        "activation",
        "dropout",
        "l2",
        "batch_norm",
    ),
    *("ensemble", "training", "loss", "optimizer", "learning_rate", "momentum", "clip_norm", "schedule"),
    *("name", "warmup_epochs", "factor", "epochs", "batch_size", "validation_split", "early_stopping"),
    *("patience", "seed", "run", "dir", "preset", "Data", "EPOCHS", "epoch", "hidden-layers", "", "~", "-1"),
)
DOTTED_KEYS = tuple(override_keys())
VALUES = (
    *(
        "null",
        "~",
        "true",
        "no",
        "Yes",
        "0",
        "-1",
        "1e-3",
        "1e2",
        "1e400",
        ".nan",
        "-.inf",
        "012",
        "0x1F",
        "10%",
    ),
    *(
        "1_000",
        "1,5",
        "2024-01-31",
        "12:30:00",
        "64,64",
        "[64, 64]",
        "[]",
        "{}",
        "[[1]]",
        "[,]",
        "{a}",
        "{a: }",
    ),
    *(
        "''",
        '""',
        '"\\0"',
        '"\\ud800"',
        '"\\UFFFFFFFF"',
        '"\\x1b[31m"',
        "standard",
        "cosine",
        "mse",
        "all",
        "[all]",
    ),
    *(
        "9" * 120,
        "9" * 5000,
        "x" * 300,
        "가격",
        "😀",
        "ｅ",
        "\u202e",
        "\ufeff",
        "http://x/t.csv",
        "file:///etc",
    ),
    *(
        "/dev/zero",
        "~/t.csv",
        "$HOME",
        "%d/%m/%Y",
        "%Q",
        "utf-16",
        "idna",
        "rot13",
        "\\t",
        '"\\t"',
        "!!int 3",
    ),
    *("&a 1", "*a", "!!python/name:os.system", "|", ">-", "? x", "@x", "`x`", "%x", "- 1", "{name: cosine}"),
    *("{name: step, factor: 2}", "{name: plateau, factor: x}", "{patience: 0}", "{y: number}", '{"": date}'),
)
PIECES = (
    *(
        "\t",
        " ",
        "  ",
        "\n",
        "\n  ",
        "\n\t",
        "\r",
        "\r\n",
        ": ",
        ":",
        "- ",
        "-",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
    ),
    *(
        "&a ",
        "*a",
        "!!int ",
        "<<: ",
        "? ",
        "|\n",
        ">\n",
        "#",
        " #",
        "%",
        "@",
        "\\",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
    ),
    *(
        "\0",
        "\x1b",
        "\x85",
        "\u2028",
        "\ud800",
        "\ufeff",
        "😀",
        "é",
        "[" * 25,
        "{a: " * 25,
        "- " * 30,
        "\n" * 40,
    ),
    *(f"{key}: " for key in KEYS),
    *(f"\n  {key}: " for key in KEYS),
    *VALUES,
)
ENDS = tuple("ab01:-?[]{},&*!|>'\"%@`#\\ \t\n\r<~.é\0\x85\ufeff")


def make_config(random: Random) -> bytes:
    """A config with some changes, or nothing but syntax; now and then not UTF-8."""
    kind = random.random()
    if kind < 0.2:
        text = "".join(random.choices(ENDS if random.random() < 0.5 else PIECES, k=random.randrange(12)))
    elif kind < 0.5:
        # A section or a key of the data section, with any value.
        section, _, key = random.choice(DOTTED_KEYS).rpartition(".")
        key, value = random.choice((key, key, random.choice(KEYS))), random.choice(VALUES)
        data_entry = f", {key}: {value}" if section == "data" else ""
        text = f"data: {{path: t.csv, target: y{data_entry}}}\n"
        text += "" if data_entry else f"{section or 'training'}: {{{key}: {value}}}\n"
    else:
        text = mutated(random, random.choice(CONFIGS), PIECES, random.randint(1, 4))
    content = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.03:
        encoding = random.choice(("utf-16", "utf-8-sig", "cp949", "utf-16-le", "latin-1"))
        content = text.encode(encoding, "replace")
    if random.random() < 0.03:
        place = random.randrange(len(content) + 1)
        content = content[:place] + random.randbytes(random.randint(1, 3)) + content[place + 1 :]
    return content


def read_any_config(content: bytes) -> None:
    config = parse_config(content, "config.yaml")
    if len(content) % 8 == 0:
        again = parse_config(dump_config(config).encode(), "/resolved.yaml")
        run = config.run.model_copy(update={"dir": None})
        assert again == config.model_copy(update={"run": run})


def test_any_text_is_a_config_or_is_refused():
    feed("configs", EXAMPLES, make_config, read_any_config)


def test_any_text_is_a_mapping_or_is_refused():
    def read(content):
        document = decode_yaml(content, "config.yaml")
        assert isinstance(document.value, dict)
        assert () in document.places
        if document.faults:
            raise ConfigError(*document.faults)

    feed("texts", EXAMPLES // 5, lambda random: make_config(Random(random.random())), read)


def make_overrides(random: Random) -> list[str]:
    keys = random.choices(DOTTED_KEYS, k=random.choice((1, 1, 1, 2)))
    if random.random() < 0.2:
        keys.append(mutated(random, keys[0], (".", "=", "x", " ", "", "A"), 1))
    return [f"{key}={random.choice(VALUES if random.random() < 0.8 else PIECES)}" for key in keys]


def test_any_override_changes_the_config_or_is_refused(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("data: {path: t.csv, target: y, types: {x: number}}\ntraining: {schedule: cosine}\n")

    def read(overrides):
        config, faults = read_config(file, overrides)
        if faults:
            raise ConfigError(*faults)
        assert config

    feed("overrides", EXAMPLES // 5, make_overrides, read)


# ---------------------------------------------------------------- tables

TABLES = (
    "x,z,y\n" + "".join(f"{n}.5,{'uv'[n % 2]},{n * n}\n" for n in range(12)),
    "x,day,y\n" + "".join(f"{n},2024-01-{n + 10},{n * n}\n" for n in range(12)),
    "x,day,y\n" + "".join(f"{n},{n + 10}/01/2024,{n * n}\n" for n in range(12)),
    "거리,지역,y\n" + "".join(f"{n},{'서울' if n % 2 else '부산'},{2 * n}\n" for n in range(12)),
    '"x","the ""z""","y"\r\n' + "".join(f'"{n}","a, {n % 3}\nb","{n}"\r\n' for n in range(10)),
    "x;z;y\n" + "".join(f"{n},5;1.234,{n};{n},{n}\n" for n in range(10)),
    "x\tz\ty\n" + "".join(f"{n}\tyes\t{n}\n{n}\tno\t{n}\n" for n in range(6)),
    "id,x,y\n" + "".join(f"r{n},NA,{n}\n" for n in range(12)),
    "x,y\n1,2\n",
    "y\n1\n2\n3\n",
)
CELLS = (
    *(
        ",",
        ",,",
        '"',
        '""',
        '"\n"',
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        ";",
        "\t",
        "|",
        " ",
        "\0",
        "\x1a",
        "\x1b[31m",
    ),
    *(
        "NA",
        "nan",
        "null",
        "-",
        "?",
        "inf",
        "-inf",
        "1e999",
        "-1e101",
        "1e39",
        "1e-400",
        "9" * 30,
        "9" * 5000,
    ),
    *(
        "1_000",
        "0x1F",
        "5%",
        "$3",
        "3,5",
        "1.234,5",
        "1'000",
        "１２",
        "٣",
        "−3",
        "(3)",
        "3-",
        "1/2",
        "3 kg",
        "½",
    ),
    *("True", "FALSE", "yes", "2024-02-30", "0000-00-00", "9999-12-31", "1677-01-01", "2024-01-31T10:00Z"),
    *(
        "24:00",
        "01/02/2024",
        "31 Dec 2024",
        "=1+1",
        "--help",
        "$x$",
        "한",
        "é",
        "😀",
        "\u202e",
        "\ufeff",
        "\u2028",
    ),
    *(
        "x" * 300,
        "x\n",
        "y\n",
        "y,y\n",
        "Unnamed: 0",
        "sep=;\n",
        "# a comment\n",
        "<html>",
        "{",
        "PK\x03\x04",
    ),
)
ENCODINGS = (
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "cp949",
    "latin-1",
    "utf-7",
)
# Where blocks are small, each row is a table.
BLOCK_BYTES = (*[1 << 20] * 12, 64, 16, 5)


def make_table(random: Random) -> tuple[bytes, CsvFormat, dict[str, str], dict[str, str], int]:
    """The bytes of a table, how the config says it is written, `data.types`, `data.dates`, the block size."""
    if random.random() < 0.1:
        text = "".join(random.choices(CELLS, k=random.randrange(10)))
    else:
        text = mutated(random, random.choice(TABLES), CELLS, random.choice((0, 1, 1, 1, 2, 3, 4)))
    written = random.choice(ENCODINGS)
    content = text.encode(written, "replace")
    if random.random() < 0.1:
        place = random.randrange(len(content) + 1)
        content = content[:place] + random.randbytes(random.randint(1, 3)) + content[place + 1 :]
    csv_format = CsvFormat(
        encoding=written if random.random() < 0.9 else random.choice(ENCODINGS),
        delimiter=random.choice(",,,,;\t |"),
        decimal=random.choice("...,"),
        thousands=random.choice((None, None, None, ",", ".", " ", "'")),
        missing_values=random.choice(((), (), ("?", "-999"))),
        time_zone=random.choice((None, None, "UTC", "Europe/Berlin")),
    )
    types = {"x": random.choice(("number", "category", "date"))} if random.random() < 0.2 else {}
    formats = ("%d/%m/%Y", "%Y-%m-%d", "%b %y", "%I:%M %p", "%Y-%m-%d %H:%M%z", "%Y-%j", "epoch_seconds")
    dates = {"day": random.choice(formats)} if random.random() < 0.2 else {}
    return content, csv_format, types, dates, random.choice(BLOCK_BYTES)


def test_any_bytes_are_a_table_or_are_refused(monkeypatch):
    def read(given):
        content, csv_format, types, dates, block_bytes = given
        monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        as_text = {name for name, kind in types.items() if kind != "number"} | set(dates)
        n_tables = 0
        for table in stream_tables(stream_source(content, csv_format, "table.csv"), as_text):
            n_tables += 1
            names = list(table.frame.columns)
            columns = recognise_columns(
                table, names, types, {name: DateColumn(format=form) for name, form in dates.items()}
            )
            cells = read_cells(table, columns)
            for column in columns:
                assert cells[column.name].shape == (len(table.frame), 1)
                assert column.kind != "number" or not np.isinf(cells[column.name]).any()
            last = len(table.frame) - 1
            assert 1 < table.place(last).line <= 1 + content.count(b"\n") + content.count(b"\r")
            assert isinstance(table.cell(last, names[-1]), str)
        if not n_tables:
            raise DataError(Fault("no rows", "table.csv", hint="None are needed to predict"))

    feed("tables", EXAMPLES // 10, make_table, read)


@pytest.mark.parametrize("command", ["check", "init"])
def test_any_table_is_a_dataset_or_is_refused(tmp_path, command):
    """The whole way of a table, from the file on the disk to the parts that are learnt from."""
    table, config = tmp_path / "table.csv", tmp_path / "config.yaml"
    settings = parse_config(b"data: {path: table.csv, target: y}\n", str(config))

    def read(given):
        content, csv_format, types, dates, _ = given
        table.write_bytes(content)
        if command == "init":
            text, warnings = init(str(table), "y", config)
            assert text.endswith("\n")
            assert all(warnings)
            parse_yaml(text, "config.yaml")
            return
        data = settings.data.model_copy(
            update={
                name: getattr(csv_format, name) for name in ("encoding", "delimiter", "decimal", "thousands")
            }
            | {"types": types, "dates": dates}
        )
        dataset = load_dataset(settings.model_copy(update={"data": data}))
        assert all(np.isfinite(part.y_true).all() for part in dataset.parts.values())

    # What is imported for the first dates is not the time of a table.
    rows = "".join(f"{n},2024-01-{n + 10},{n * n}\n" for n in range(12))
    table.write_text(f"x,day,y\n{rows}13,2024-,7\n")
    with suppress(DlregError):
        init(str(table), "y", config)
    feed(f"tables through {command}", EXAMPLES // 50, make_table, read)
