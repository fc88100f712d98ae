"""Tables altered as people and programs alter them: read alike, refused, or spoken of – never wrong in silence.

A long run, `DLREG_LONG_TESTS=1`, tries 100,000 of them.
"""

import os
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from support.tables import write_config

from dlreg.config.reading import load_config
from dlreg.errors import DlregError
from dlreg.preview.advice import advise
from dlreg.table.dataset import load_dataset

N_TABLES = 100_000 if os.environ.get("DLREG_LONG_TESTS") else 400
HEADER = ["area", "rooms", "town", "pool", "sold", "lot", "y"]
TEXTS = {"town", "pool", "sold"}
Lines = list[list[str]]


def base_table() -> Lines:
    generator = np.random.default_rng(5)
    return [
        [
            f"{generator.uniform(20, 250):.1f}", f"{generator.integers(1, 8)}",
            str(generator.choice(["Oak", "Elm", "Ash"])), str(generator.choice(["True", "False"])),
            f"20{generator.integers(10, 24)}-{generator.integers(1, 13):02}-{generator.integers(1, 29):02}",
            f"{generator.integers(1000, 900_000)}", f"{generator.uniform(1e5, 9e5):.2f}",
        ]
        for _ in range(48)
    ]  # fmt: skip


BASE = base_table()


def grouped(text: str, mark: str = ",") -> str:
    """A number with its digits in groups, and all its decimals."""
    whole, _, decimals = text.partition(".")
    return f"{int(whole):,}".replace(",", mark) + (
        f"{'.' if mark != '.' else ','}{decimals}" if decimals else ""
    )


def always(text: str) -> Callable[[str], str]:
    """A word in the place of any cell."""
    return lambda _: text


# How a number may be written, without being another one.
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda x: f" {x} ", lambda x: f"+{x}", grouped, lambda x: grouped(x, "."), lambda x: grouped(x, " "),
    lambda x: grouped(x, "\u202f"), lambda x: grouped(x, "'"), lambda x: grouped(x, "_"), lambda x: x.replace(".", ","),
    lambda x: f"${x}", lambda x: f"{x} €", lambda x: f"{x}%", lambda x: f"[{x}]", lambda x: f"({x})", lambda x: f"{x}-",
    lambda x: f"{x}*", lambda x: f"<{x}", lambda x: f"{x} m2", lambda x: f"{x}k", lambda x: f"1/{x}", lambda x: f"'{x}",
    lambda x: f"{float(x):.8e}", lambda x: f"00{x}", lambda x: f"{float(x):.3f}", lambda x: f"0x{int(float(x)):x}",
    lambda x: x.translate(str.maketrans("0123456789", "０１２３４５６７８９")), lambda x: f"\ufeff{x}", lambda x: f"{x}\xa0",
    *map(always, ["#DIV/0!", "-", "NA", "", "inf", "1e999", "n/a", "-999"]),
)  # fmt: skip
LEVEL_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda x: f" {x}", lambda x: f"{x}\xa0", lambda x: f"{x}\t", lambda x: f"{x}\u200b", lambda x: f"\u3000{x} ",
    *map(always, ["", "NULL", " NA "]),
)  # fmt: skip
TEXT_SPELLINGS: dict[int, tuple[Callable[[str], str], ...]] = {
    2: (*LEVEL_SPELLINGS, str.upper, str.lower),
    3: (
        *LEVEL_SPELLINGS, str.upper, str.lower, lambda x: str(int(x == "True")), lambda x: f"{x == 'True':.1f}", lambda x: x[0].upper(),
        lambda x: "yes" if x == "True" else "no", lambda x: "ja" if x == "True" else "nein",
    ),
    4: (
        *LEVEL_SPELLINGS, lambda x: x.replace("-", "/"), lambda x: "/".join(reversed(x.split("-"))), lambda x: f"{x} 00:00",
        lambda x: f"{x}T00:00:00Z", lambda x: f"{x}+02:00", lambda x: x[2:], lambda x: ".".join(reversed(x.split("-"))), lambda x: x.replace("-", ""),
    ),
}  # fmt: skip
OTHER_ROWS: tuple[Callable[[Lines], list[str]], ...] = (
    lambda rows: ["Total", "", "", "", "", "", f"{sum(float(row[6]) for row in rows):.2f}"],
    lambda rows: ["", "", "Average", "", "", "", f"{np.mean([float(row[6]) for row in rows]):.2f}"],
    lambda rows: ["120.0", "3", "Oak", "True", "2020-01-01", "5000", f"{sum(float(row[6]) for row in rows):.2f}"],
    lambda rows: ["Summe:", "", "", "", "", f"{sum(int(row[5]) for row in rows)}", f"{sum(float(row[6]) for row in rows):.2f}"],
    lambda _: ["m2", "n", "name", "", "date", "m2", "EUR"],
    lambda _: HEADER,
    lambda _: [""] * 7,
    lambda _: ["합계", "", "", "", "", "", "1"],
)  # fmt: skip


def altered(generator: np.random.Generator) -> tuple[Lines, list[int | None]]:
    """A table with one alteration, and the place in `BASE` of each of its rows; None of rows that are new."""
    rows = [list(row) for row in BASE]
    origins: list[int | None] = list(range(len(rows)))
    kind = generator.integers(5)
    place = int(generator.integers(len(rows)))
    if kind == 0:
        column = int(generator.choice([0, 1, 5, 6]))
        respell(rows, column, SPELLINGS[generator.integers(len(SPELLINGS))], generator)
    elif kind == 1:
        column = int(generator.choice([2, 3, 4]))
        spellings = TEXT_SPELLINGS[column]
        respell(rows, column, spellings[generator.integers(len(spellings))], generator)
    elif kind == 2:
        for _ in range(int(generator.integers(1, 4))):
            rows.insert(place, list(rows[place]))
            origins.insert(place, None)
    elif kind == 3:
        place = int(generator.choice([0, place, len(rows)]))
        rows.insert(place, OTHER_ROWS[generator.integers(len(OTHER_ROWS))](rows))
        origins.insert(place, None)
    else:
        shift = int(generator.integers(-2, 3)) or 1
        width = int(generator.integers(3))
        row = rows[place]
        rows[place] = [row[shift:] + row[:shift], [""] * abs(shift) + row[: len(row) - abs(shift)], row[1:]][
            width
        ]
    return rows, origins


def respell(rows: Lines, column: int, spelling: Callable[[str], str], generator: np.random.Generator) -> None:
    share = generator.choice([0.0, 0.3, 1.0])
    chosen = generator.random(len(rows)) < share
    chosen[generator.integers(len(rows))] = True
    for row, is_chosen in zip(rows, chosen, strict=True):
        if is_chosen:
            row[column] = spelling(row[column])


def written(rows: Lines) -> str:
    return (
        "\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in [HEADER, *rows])
        + "\n"
    )


def contents(dataset) -> pd.DataFrame:
    """Every row that is learnt from or measured on, by its place in the file."""
    frames = []
    for part in dataset.parts.values():
        columns = {name: cells[:, 0] for name, cells in part.cells.items()}
        frames.append(pd.DataFrame({**columns, "y": part.y_true}, index=part.rows))
    return pd.concat(frames).sort_index()


def differences(read: pd.DataFrame, origins: list[int | None], base: pd.DataFrame) -> set[str]:
    """The columns in which some row is not what it was, and `rows` where rows came or went."""
    found = set()
    wanted = {row: origin for row, origin in enumerate(origins) if origin is not None}
    if set(read.index) != set(wanted):
        found.add("rows")
    kept = [row for row in read.index if row in wanted]
    before = base.loc[[wanted[row] for row in kept]]
    for name in base.columns:
        if name not in read.columns:
            found.add(name)
            continue
        now, then = read.loc[kept, name].tolist(), before[name].tolist()
        # Levels may have other names, as long as each has one.
        is_renamed = name == "town" and len(set(zip(now, then, strict=True))) == len(set(now)) == len(
            set(then)
        )
        if not is_renamed and not all(map(are_alike, now, then)):
            found.add(name)
    return found


def are_alike(now: object, then: object) -> bool:
    if isinstance(now, str) or isinstance(then, str):
        return now == then
    return now == pytest.approx(then, rel=1e-12)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    config = load_config(write_config(tmp_path_factory.mktemp("base"), written(BASE)))
    return contents(load_dataset(config))


def said_of(config, dataset) -> str:
    return "\n".join([*dataset.notes, *(str(advice.fault) for advice in advise(config, dataset))])


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_wrong_in_silence(tmp_path, base, seed):
    generator = np.random.default_rng(seed)
    config = load_config(write_config(tmp_path, written(BASE)))
    silence = said_of(config, load_dataset(config))
    wrong = []
    for number in range(N_TABLES // 8):
        rows, origins = altered(generator)
        (tmp_path / "table.csv").write_text(written(rows), encoding="utf-8")
        try:
            dataset = load_dataset(config)
        except DlregError:
            continue
        changed = differences(contents(dataset), origins, base)
        said = said_of(config, dataset).replace(silence, "")
        unsaid = {
            name for name in changed if f"'{name}'" not in said and "line " not in said and "rows" not in said
        }
        if unsaid:
            strange = [row for row in rows if row not in BASE]
            wrong.append((number, sorted(unsaid), len(strange), strange[-1:]))
    assert wrong == []
