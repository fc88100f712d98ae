"""What the real event reader of TensorBoard's finds in the events of a run."""

from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from dlreg.figures.writing import write_figure
from dlreg.trackers.tensorboard_log import TensorboardLog, events_folder
from dlreg.trackers.told import Epoch, Finish, Opening

EPOCHS = [Epoch(n, 1e9 + n, {"loss": 1 / n, "val_loss": 2 / n}) for n in range(1, 4)]


@pytest.fixture
def opening(tmp_path):
    return Opening(
        str(tmp_path / "runs" / "소요"), "a" * 32, {"training.epochs": 3, "data.target": "소요"}, {}, 1.0
    )


def read(opening):
    """The reader, which warns of events that are out of order or damaged."""
    reader = EventAccumulator(str(events_folder(Path(opening.path))))
    reader.Reload()
    return reader


def finish(tmp_path):
    (tmp_path / "figures").mkdir(exist_ok=True)
    write_figure(Figure(figsize=(3, 2), dpi=100), tmp_path / "figures" / "loss_curve.png")
    return Finish({"test.rmse": 2.5, "baselines.mean.n": 7}, str(tmp_path / "figures"), [], "", {}, 2.0)


def test_scalars_hyperparameters_and_figures_are_read(opening, tmp_path):
    log = TensorboardLog(opening)
    log.log_epochs(EPOCHS[:2])
    log.log_epochs(EPOCHS[2:])
    log.finish(finish(tmp_path))
    reader = read(opening)
    scalars = reader.Scalars("val_loss")
    assert [(event.step, event.wall_time) for event in scalars] == [(e.step, e.time) for e in EPOCHS]
    assert [event.value for event in scalars] == pytest.approx([2, 1, 2 / 3])
    (rmse,) = reader.Scalars("test/rmse")
    assert (rmse.step, rmse.value) == (3, 2.5)
    (image,) = reader.Images("loss_curve")
    assert (image.width, image.height) == (300, 200)
    assert image.encoded_image_string.startswith(b"\x89PNG")
    plugin = reader.PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(plugin[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["training.epochs"].number_value == 3
    assert start.hparams["data.target"].string_value == "소요"
    end = metadata.parse_session_end_info_plugin_data(plugin[metadata.SESSION_END_INFO_TAG])
    assert end.status == 1


def test_what_is_written_can_be_watched_at_once(opening):
    log = TensorboardLog(opening)
    log.log_epochs(EPOCHS[:2])
    assert len(read(opening).Scalars("loss")) == 2
    log.stop("interrupted")


def test_a_run_that_goes_on_has_no_epoch_twice(opening, tmp_path):
    log = TensorboardLog(opening)
    log.log_epochs(EPOCHS)
    log.stop("interrupted")
    log = TensorboardLog(opening)
    log.log_epochs(EPOCHS)
    log.finish(finish(tmp_path))
    assert [event.step for event in read(opening).Scalars("loss")] == [1, 2, 3]
