"""Which directory a study is written to, what stands in its way, and what is removed of another."""

import pytest

from dlreg.errors import RunDirError, StorageError
from dlreg.search.study_dir import open_study_dir
from dlreg.search.study_record import read_study_record


def make_study(path):
    with open_study_dir(path) as study:
        study.write("trials.csv", b"number\n")
        study.write("journal.log", b"{}\n")
        (path / "best").mkdir()
        (path / "best" / "run.json").write_text("{}")
        study.set_status("complete", {"best": 3})


def test_a_study_is_written_file_by_file(tmp_path):
    make_study(tmp_path / "a" / "study")
    record = read_study_record(tmp_path / "a" / "study")
    assert (record.status, record.schema_version) == ("complete", 1)
    assert not list(tmp_path.glob("a/.study*"))


def test_a_used_directory_is_left_untouched(tmp_path):
    (tmp_path / "notes.txt").write_text("years")
    for overwrite in (False, True):
        for resume in (False, True):
            with (
                pytest.raises(StorageError, match=r"not empty|holds no study"),
                open_study_dir(tmp_path, overwrite=overwrite, resume=resume),
            ):
                pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_a_study_is_replaced_or_gone_on_with_only_where_that_is_asked_for(tmp_path):
    make_study(tmp_path / "study")
    with pytest.raises(StorageError, match="--resume"), open_study_dir(tmp_path / "study"):
        pass
    with open_study_dir(tmp_path / "study", resume=True):
        assert (tmp_path / "study" / "journal.log").exists()


def test_what_is_not_of_dlreg_outlives_the_study_that_is_replaced(tmp_path):
    path = tmp_path / "study"
    make_study(path)
    (path / "notes.txt").write_text("mine")
    with open_study_dir(path, overwrite=True):
        pass
    assert [entry.name for entry in path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("stranger", ["best/notes.txt", "best/model.keras/notes.txt", "plain", "plain/a.csv"])
def test_what_would_stand_in_the_way_of_a_run_is_named_before_anything_is_removed(tmp_path, stranger):
    path = tmp_path / "study"
    make_study(path)
    (path / stranger).parent.mkdir(exist_ok=True)
    (path / stranger).write_text("mine")
    before = sorted(path.rglob("*"))
    named = stranger.removesuffix("/notes.txt") if "keras" in stranger else stranger
    with (
        pytest.raises(StorageError, match=f"{named}: .*Move it away, or give another --study"),
        open_study_dir(path, overwrite=True),
    ):
        pass
    assert sorted(path.rglob("*")) == before


def test_a_link_in_the_place_of_a_run_is_no_run_to_remove(tmp_path):
    path = tmp_path / "study"
    make_study(path)
    (tmp_path / "run.json").write_text("another's")
    (path / "plain").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="plain: "), open_study_dir(path, overwrite=True):
        pass
    assert (tmp_path / "run.json").read_text() == "another's"


def test_one_process_at_a_time_writes_a_study(tmp_path):
    with (
        open_study_dir(tmp_path / "study"),
        pytest.raises(StorageError, match=r"in use by process .*--study"),
        open_study_dir(tmp_path / "study"),
    ):
        pass


def test_a_hidden_file_alone_is_nothing_to_lose(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / ".gitignore").write_text("*\n")
    with open_study_dir(tmp_path / "study") as study:
        study.set_status("running")
    assert (tmp_path / "study" / ".gitignore").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"schema_version": 2, "status": "running"}', "newer"),
        ('{"schema_version": 1}', "damaged"),
        ("[]", "damaged"),
        ('{"schema_version": 1, "status": "running", "data": {"x": 1}}', "damaged"),
    ],
)
def test_a_record_that_cannot_be_relied_on_is_refused(tmp_path, content, message):
    (tmp_path / "study.json").write_text(content)
    with pytest.raises(RunDirError, match=message):
        read_study_record(tmp_path)


def test_a_record_is_no_link_to_another_file(tmp_path):
    (tmp_path / "other.json").write_text('{"schema_version": 1, "status": "running"}')
    (tmp_path / "study.json").symlink_to(tmp_path / "other.json")
    with pytest.raises(RunDirError, match="link"):
        read_study_record(tmp_path)
