"""The `dlreg` process: its signals, streams and warnings, and the exit code of every error.

`dlreg.cli.importing` has what the import of TensorFlow and pandas changes of the process.
"""

import logging
import os
import sys
import traceback
import warnings
from functools import partial
from typing import Any, cast

from dlreg import __version__
from dlreg.cli.app import app
from dlreg.cli.completion import asks_for_completion, complete, install_completion
from dlreg.cli.importing import (
    collect_rarely,
    hold_freed_memory,
    keep_arrow_out_of_pandas,
    keep_out_of_home,
)
from dlreg.cli.streams import open_missing_streams, printing, telling, write_utf8
from dlreg.errors import DlregError
from dlreg.memory import reporting_lack_of_memory
from dlreg.runs.interruption import Interruption, listening


def main() -> None:
    """Runs the command line and turns every error into its exit code, in this one place."""
    open_missing_streams()
    with listening() as signals:
        _run(signals)


def _run(signals: Interruption) -> None:
    arguments = sys.argv[1:]
    write_utf8()
    _show_warnings_of_dlreg()
    collect_rarely()
    hold_freed_memory()
    keep_out_of_home()
    keep_arrow_out_of_pandas()
    try:
        if "--version" in arguments:
            with printing():
                print(f"dlreg {__version__}")
            return
        if os.environ.get("_DLREG_COMPLETE"):
            complete(partial(app, arguments, prog_name="dlreg"))
        if asks_for_completion(arguments):
            with printing():
                install_completion(arguments)
            return
        with reporting_lack_of_memory():
            app([word for word in arguments if word != "--debug"], prog_name="dlreg", obj=signals)
    except DlregError as error:
        from dlreg.cli.console import show_error

        if "--debug" in arguments:
            with telling(sys.stderr):
                traceback.print_exc()
        show_error(error)
        sys.exit(error.exit_code)
    except Exception:
        # Work that a signal breaks off may fail in any way.
        signals.raise_received()
        traceback.print_exc()
        report = "Please report it, with the lines above and your config."
        print(f"This is a bug of dlreg {__version__}. {report}", file=sys.stderr)
        sys.exit(1)


def _show_warnings_of_dlreg() -> None:
    """Shows dlreg's own warnings as notes, and hides those of libraries, which address developers."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", module="dlreg")
    warnings.showwarning = cast(Any, _show_warning)


def _show_warning(message: Warning | str, *_: object) -> None:
    from dlreg.cli.console import show_note

    show_note(str(message))
