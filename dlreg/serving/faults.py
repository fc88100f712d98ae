"""What is wrong with a request, as the one who sent it can mend it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from dlreg.errors import Fault, abridged

REQUEST = "the request"
# What names keys of a config, options or commands is for whoever trained the run.
_NOT_FOR_CLIENTS = ("data.", "--", "dlreg ", "Train ", "training.")
_HINT = "Write it as the training table does: /openapi.json tells what each column holds"


class RequestError(Exception):
    """A request that cannot be answered.

    Args:
        status: Of HTTP, 400 to 499.
        faults: What is wrong with it.
    """

    def __init__(self, status: int, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.status, self.faults = status, faults


def for_client(fault: Fault) -> Fault:
    """The fault with a way out that a client has."""
    is_for_others = fault.hint and any(words in fault.hint for words in _NOT_FOR_CLIENTS)
    return replace(fault, hint=_HINT) if is_for_others else fault


def faults_json(faults: Sequence[Fault]) -> dict[str, Any]:
    """The faults in plain values: `detail` in words, and `faults`, each with its place."""
    told = list(abridged(faults))
    entries = [
        {key: value for key, value in asdict(fault).items() if key != "path" and value is not None}
        for fault in told
    ]
    return {"detail": "\n".join(map(str, told)), "faults": entries, "fault_count": len(faults)}
