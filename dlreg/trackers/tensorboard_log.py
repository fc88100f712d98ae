"""A run as TensorBoard shows it: scalars by epoch, hyperparameters with the results, and figures.

The events stand beside the runs: those of `runs/mine` in `runs/.tensorboard/mine`. A training writes them
anew, also one that goes on, from its first epoch, so that none stands there twice.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
from tensorboard.plugins.hparams.metadata import (
    NULL_TENSOR,
    SESSION_END_INFO_TAG,
    create_summary_metadata,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from dlreg.trackers.told import Epoch, Finish, Opening

PREFIX = "events.out.tfevents."
# Where width and height stand in a PNG, four bytes each.
_PNG_SIZE = slice(16, 24)


def events_folder(path: Path) -> Path:
    """Where the events of a run stand."""
    return path.parent / ".tensorboard" / path.name


class EventFile:
    """A file of events that is being written.

    Args:
        folder: Where it stands; another one in it is removed.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{PREFIX}*"):
            old.unlink()
        name = f"{PREFIX}{time.time():010.0f}.{socket.gethostname()}.{os.getpid()}.0"
        self._file = (folder / name).open("xb")
        self._writer = RecordWriter(self._file)
        self.add(Event(file_version="brain.Event:2"))

    def add(self, event: Event, wall_time: float | None = None) -> None:
        """Adds an event of a time, which is now if none is given."""
        event.wall_time = wall_time or time.time()
        self._writer.write(event.SerializeToString())

    def end(self, status: Any, wall_time: float | None = None) -> None:
        """Adds how a session of hyperparameters ended, and closes the file."""
        end = SessionEndInfo(status=status, end_time_secs=wall_time or time.time())
        metadata = create_summary_metadata(HParamsPluginData(session_end_info=end))
        value = Summary.Value(tag=SESSION_END_INFO_TAG, metadata=metadata, tensor=NULL_TENSOR)
        self.add(Event(summary=Summary(value=[value])), wall_time)
        self.close()

    def flush(self) -> None:
        """Hands what was added to the system."""
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class TensorboardLog:
    """Writes the events of a run.

    Args:
        opening: The run.
    """

    def __init__(self, opening: Opening) -> None:
        self._file = EventFile(events_folder(Path(opening.path)))
        self._file.add(Event(summary=hparams_pb(opening.parameters, trial_id=opening.tracking_id)))
        self._last_step = 0

    def log_epochs(self, epochs: list[Epoch]) -> None:
        """Writes the scalars of some epochs."""
        for epoch in epochs:
            self._file.add(Event(step=epoch.step, summary=scalars(epoch.values)), epoch.time)
            self._last_step = epoch.step
        self._file.flush()

    def finish(self, finish: Finish) -> None:
        """Writes the results, grouped by part, and the figures."""
        metrics = {name.replace(".", "/"): value for name, value in finish.metrics.items()}
        self._file.add(Event(step=self._last_step, summary=scalars(metrics)))
        for figure in sorted(Path(finish.figures).iterdir()):
            self._file.add(Event(step=self._last_step, summary=image(figure.stem, figure.read_bytes())))
        self._file.end(STATUS_SUCCESS)

    def stop(self, status: str) -> None:
        """Writes that the run has failed; one that was interrupted may go on."""
        if status == "failed":
            self._file.end(STATUS_FAILURE)
        self._file.close()


def scalars(values: dict[str, float]) -> Summary:
    """Numbers by their tags."""
    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])


def image(name: str, png: bytes) -> Summary:
    """The bytes of a PNG under a tag."""
    size = png[_PNG_SIZE]
    width, height = int.from_bytes(size[:4]), int.from_bytes(size[4:])
    image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
    return Summary(value=[Summary.Value(tag=name, image=image)])
