"""How a file that is no pipeline of dlreg's is refused."""

from dlreg.errors import Fault, RunDirError


def refused(found: str) -> RunDirError:
    """The error for a pipeline that holds something else than dlreg writes."""
    return RunDirError(Fault(f"expected a pipeline as dlreg writes it, found {found}", hint="Train again"))
