"""A run for other runtimes: one C file, or a SavedModel of TensorFlow."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

from dlreg.errors import Fault, UsageError
from dlreg.exports.c.literals import identifiers, is_identifier
from dlreg.exports.c.model_file import c_source
from dlreg.exports.exported_run import ExportedRun, read_exported
from dlreg.files.whole_file import reporting_storage_errors, write_atomically
from dlreg.files.whole_folder import replacing_folder

# The file that every SavedModel has.
_GRAPH = "saved_model.pb"


def export(
    path: Path,
    form: Literal["c", "savedmodel"],
    output: Path | None = None,
    *,
    name: str | None = None,
    overwrite: bool = False,
    importing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> dict[str, Any]:
    """Writes a run in another form.

    Args:
        path: The run directory.
        form: `c`, one file in C99, or `savedmodel`, a folder.
        output: Where to write; None for a name after the run's in the working directory.
        name: What begins the names of the functions in C, instead of none.
        overwrite: Whether to replace a folder that is a SavedModel already; a file is in any case.
        importing: Prepares the process while TensorFlow is imported.

    Returns:
        `run_dir`, `format`, `output` and `columns`: for each column the name that it has there.

    Raises:
        UsageError: The output is not called as C is, or `name` is no name in C.
        RunDirError: There is no complete run, or it is damaged.
        StorageError: The output cannot be written, or may not be replaced.
    """
    stem = path.resolve().name
    if form == "c":
        output = output or Path(f"{stem}.c")
        _check_names(output, name)
        run = read_exported(path)
        with reporting_storage_errors(output):
            write_atomically(output, c_source(run, name or "").encode())
    else:
        output = output or Path(f"{stem}_savedmodel")
        if name is not None:
            raise UsageError("--name is for --format c: a SavedModel has no functions to be told apart")
        run = read_exported(path)
        with (
            reporting_storage_errors(output),
            replacing_folder(output, lambda folder: overwrite and (folder / _GRAPH).is_file()) as folder,
        ):
            _write_saved_model(run, folder, importing)
    names = [column.name for column in run.columns]
    columns = dict(zip(names, identifiers(names), strict=True))
    return {"run_dir": str(path), "format": form, "output": str(output), "columns": columns}


def _write_saved_model(
    run: ExportedRun, folder: Path, importing: Callable[[], AbstractContextManager[None]]
) -> None:
    with importing():
        from dlreg.exports.saved_model import write_saved_model

        write_saved_model(run, folder)


def _check_names(output: Path, name: str | None) -> None:
    if output.suffix not in (".c", ".h"):
        hint = "Give a name that ends in .c"
        raise UsageError(Fault(f"--output takes the name of a C file; found {output.name!r}", hint=hint))
    if name is not None and not is_identifier(name):
        hint = "Give letters, digits and underscores, such as --name fares"
        raise UsageError(Fault(f"--name takes a name as C has them; found {name!r}", hint=hint))
