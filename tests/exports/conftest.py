"""TensorFlow as the train command imports it, before any test here does; a table for all of them."""

import pytest

from dlreg.cli.importing import quiet_import
from dlreg.engine.backend import import_backend

with quiet_import():
    import_backend(1)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The columns and cells of `table_of_every_kind`."""
    from support.pipelines import table_of_every_kind

    return table_of_every_kind(tmp_path_factory.mktemp("onnx"))
