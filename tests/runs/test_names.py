"""The names of a run directory's files, and of what stands beside it."""

from pathlib import Path

from dlreg.runs import names


def test_what_is_required_is_no_figure_and_all_are_files_of_a_run():
    assert not names.REQUIRED & names.UNHASHED
    assert names.FIGURES < names.UNHASHED
    assert names.REQUIRED | names.UNHASHED < names.FILES


def test_every_name_is_among_the_files():
    named = {value for key, value in vars(names).items() if key.isupper() and isinstance(value, str)}
    assert named == names.FILES


def test_what_stands_beside_a_run_is_hidden_and_named_after_it():
    path = Path("folder/run.v2")
    places = [names.lock_beside(path), names.new_beside(path), names.old_beside(path)]
    assert list(map(str, places)) == ["folder/.run.v2.lock", "folder/.run.v2.new", "folder/.run.v2.dlreg-old"]
