"""What is done to the process for the libraries it imports, above all TensorFlow, most of `train`'s start.

Right in a process of one's own, but surprising in somebody else's: it belongs to the command line.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader, find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from dlreg.files.cache_folder import cache_folder
from dlreg.files.native_stderr import native_stderr_held_back

# What TensorFlow and Keras ask for when they are imported, and do without where it is not installed: for
# images, their figures, sparse matrices and wrappers. It would be two fifths of their time.
UNNEEDED = frozenset({"PIL", "matplotlib", "scipy", "sklearn"})
# The modules of `tf.`, which hand names on: some of them those of parts of TensorFlow that nothing else asks
# for, a sixth of its time.
_PUBLIC = "tensorflow._api.v2."
# These every training uses; and two have the names of packages of TensorFlow, which would take their place.
_AT_ONCE = tuple(
    f"{_PUBLIC}{name}" for name in ("distribute", "linalg", "lite", "math", "nn", "random", "raw_ops")
)

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@contextmanager
def quiet_import(cache: Path | None = None) -> Iterator[None]:
    """A block that uses TensorFlow, imported without noise on stderr and garbage collection.

    Args:
        cache: The folder in which XLA keeps compiled programs, if it is to keep any.
    """
    _set_environment(cache)
    with native_stderr_held_back(), _nothing_collected(), _finding(_WhenUsed()):
        _import_keras()
        yield


def _import_keras() -> None:
    """Imports Keras, and TensorFlow by it, as if `UNNEEDED` were not installed.

    A version that cannot do without is forgotten again, to be imported with all it asks for in the block.
    """
    try:
        with _finding(_Absent(UNNEEDED)):
            import_module("keras")
    except ImportError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
            del sys.modules[name]


class _Absent:
    """A finder of modules, for which some packages are not installed.

    Args:
        packages: Their names.
    """

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def find_spec(self, name: str, *_: object) -> None:
        """Finds nothing.

        Raises:
            ModuleNotFoundError: The module is of one of the packages.
        """
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _WhenUsed:
    """A finder of TensorFlow's public modules, each run when something of it is first asked for."""

    def find_spec(self, name: str, path: Sequence[str] | None, *_: object) -> ModuleSpec | None:
        """The module if it is one of them."""
        if not name.startswith(_PUBLIC) or name.startswith(_AT_ONCE):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _finding(finder: Any) -> Iterator[None]:
    """A block in which modules that have not been imported before are looked for by this finder first."""
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.meta_path.remove(finder)


class _PandasAlone:
    """Finds pandas, to be imported as if pyarrow were not installed, and then is gone."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The module if it is pandas."""
        if name != "pandas":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec and spec.loader:
            spec.loader.exec_module = partial(_run_alone, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _run_alone(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    with _finding(_Absent(frozenset({"pyarrow"}))):
        run(module)


def keep_arrow_out_of_pandas() -> None:
    """Has pandas do without pyarrow, so that a table is read by one code, whether it is installed or not.

    pandas would keep texts in another form with other functions for them, and take a fifth longer to import.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _PandasAlone())


def collect_rarely() -> None:
    """Has Python look for cycles of objects to throw away after 100,000 new objects, not after hundreds.

    Libraries make as many when they are imported, which live as long as the process.
    """
    gc.set_threshold(100_000)


def hold_freed_memory() -> None:
    """Has the C library hand out again what was freed, up to 32 MB, instead of giving it back at once.

    A table is read in blocks, and the system would fill the memory of each with zeros first.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option:
        set_option(_TRIM_THRESHOLD, 32 << 20)
        set_option(_MMAP_THRESHOLD, 32 << 20)


def keep_out_of_home() -> None:
    """Has matplotlib keep its list of fonts in dlreg's cache folder, and make none of its own in the home."""
    # In a device there is no folder to make, so that without a home it takes a temporary one.
    folder = cache_folder()
    if not os.environ.get("MPLCONFIGDIR"):
        os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib") if folder else os.devnull


def _set_environment(cache: Path | None) -> None:
    """Sets what TensorFlow and Keras read when they are imported, and XLA when it first compiles."""
    # The same config must give the same run, whatever a keras.json says in the home folder or, where there is
    # no home, in /tmp. In a device there is none, nor can Keras write one, as it does when it is imported.
    os.environ["KERAS_HOME"] = os.devnull
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if cache:
        flags = os.environ.get("TF_XLA_FLAGS", "")
        os.environ["TF_XLA_FLAGS"] = f"{flags} --tf_xla_persistent_cache_directory={cache}".strip()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Turns garbage collection off during imports, and has it ignore what they made from then on.

    These objects live as long as the process; visiting them again and again takes a fifth of the time of
    TensorFlow's import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
