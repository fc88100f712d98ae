"""What the real event reader of TensorBoard's finds in the events of a study."""

from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from dlreg.figures.writing import write_figure
from dlreg.trackers.tensorboard_log import events_folder
from dlreg.trackers.tensorboard_study import TensorboardStudy
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial

SPACE = {
    "training.learning_rate": {"min": 1e-4, "max": 0.1},
    "model.hidden_layers": {"values": [[8], None, "x"]},
    "model.batch_norm": {"values": [True, False]},
    "model.ensemble": {"values": [1, 2.0]},
}
TRIALS = [
    ToldTrial(0, "complete", {"training.learning_rate": 0.01}, {"validation.rmse": 3.0}, 1e9, 1e9 + 5, True),
    ToldTrial(1, "failed", {"model.hidden_layers": "[8]"}, {}, 1e9, 1e9 + 6, False),
    ToldTrial(2, "pruned", {"model.batch_norm": True}, {"validation.rmse": 4.0}, 1e9, 1e9 + 7, False),
]


def opening(tmp_path):
    return StudyOpening(str(tmp_path / "studies" / "a"), "a" * 32, {}, {}, 1e9, "validation.rmse", SPACE)


def read(folder):
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return reader, reader.PluginTagToContent(metadata.PLUGIN_NAME)


def test_a_study_is_an_experiment_and_each_trial_a_session(tmp_path):
    write_figure(Figure(figsize=(3, 2), dpi=100), tmp_path / "search.png")
    study = TensorboardStudy(opening(tmp_path))
    study.log_trials(TRIALS)
    study.finish(StudyFinish({"test.rmse": 2.5, "validation.rmse": 3.0}, [str(tmp_path / "search.png")], 1e9))
    folder = events_folder(Path(opening(tmp_path).path))
    reader, plugin = read(folder)
    experiment = metadata.parse_experiment_plugin_data(plugin[metadata.EXPERIMENT_TAG])
    assert [info.name for info in experiment.hparam_infos] == list(SPACE)
    assert experiment.metric_infos[0].name.tag == "validation/rmse"
    assert [event.value for event in reader.Scalars("best/test/rmse")] == [2.5]
    assert [event.value for event in reader.Scalars("best/validation/rmse")] == [3.0]
    assert reader.Images("search")
    statuses = []
    for trial in TRIALS:
        reader, plugin = read(folder / f"trial-{trial.number:04}")
        start = metadata.parse_session_start_info_plugin_data(plugin[metadata.SESSION_START_INFO_TAG])
        end = metadata.parse_session_end_info_plugin_data(plugin[metadata.SESSION_END_INFO_TAG])
        statuses.append(end.status)
        assert set(start.hparams) == set(trial.values)
        assert (start.start_time_secs, end.end_time_secs) == (trial.began, trial.ended)
        for tag, value in trial.metrics.items():
            assert [event.value for event in reader.Scalars(tag.replace(".", "/"))] == [value]
    assert statuses == [1, 2, 0]


def test_a_study_that_goes_on_is_written_anew_and_no_trial_twice(tmp_path):
    first = TensorboardStudy(opening(tmp_path))
    first.log_trials(TRIALS)
    first.stop("interrupted")
    again = TensorboardStudy(opening(tmp_path))
    again.log_trials(TRIALS[:2])
    again.stop("interrupted")
    files = sorted(events_folder(Path(opening(tmp_path).path)).glob("trial-*/*"))
    assert [file.parent.name for file in files] == ["trial-0000", "trial-0001"]
