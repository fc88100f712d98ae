"""One table in many forms: compressed, typed, as a sheet."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd
from pyarrow import ipc


def checked_zstd(content: bytes) -> bytes:
    """As the command `zstd` writes, with a checksum."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def zipped(
    content: bytes, name: str = "table.csv", method: int = zipfile.ZIP_DEFLATED, **others: bytes
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for member, data in {name: content, **others}.items():
            archive.writestr(member, data)
    return stream.getvalue()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": checked_zstd, "zip": zipped,
}  # fmt: skip


def json_lines(table: pd.DataFrame) -> bytes:
    """An object for each row, as any program writes it; missing cells are left out of it, or null."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    kept = [
        {name: cell for name, cell in row.items() if cell is not None or number % 2 or not number}
        for number, row in enumerate(rows)
    ]
    return "".join(
        json.dumps(row, ensure_ascii=number % 3 == 0) + "\n" for number, row in enumerate(kept)
    ).encode()


def parquet(table: pd.DataFrame | pa.Table, **options) -> bytes:
    stream = io.BytesIO()
    pq.write_table(_arrow(table), stream, **options)
    return stream.getvalue()


def arrow(table: pd.DataFrame | pa.Table, rows: int | None = None) -> bytes:
    stream = io.BytesIO()
    given = _arrow(table)
    with ipc.new_file(stream, given.schema) as writer:
        writer.write_table(given, rows)
    return stream.getvalue()


def excel(table: pd.DataFrame, above: int = 0, sheet: str = "Sheet") -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.title = sheet
    for _ in range(above):
        workbook.active.append([])
    workbook.active.append(list(table.columns))
    for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
        workbook.active.append(list(row))
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _arrow(table: pd.DataFrame | pa.Table) -> pa.Table:
    return table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
