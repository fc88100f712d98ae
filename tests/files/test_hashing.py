"""Hashes of files and of the rest of open ones."""

import hashlib

from dlreg.files.hashing import sha256_of_file, sha256_of_stream


def test_a_file_is_hashed_whole_and_a_stream_from_where_it_stands(tmp_path):
    (tmp_path / "file").write_bytes(b"content" * 100_000)
    assert sha256_of_file(tmp_path / "file") == hashlib.sha256(b"content" * 100_000).hexdigest()
    with (tmp_path / "file").open("rb") as file:
        file.seek(7)
        assert sha256_of_stream(file) == hashlib.sha256(b"content" * 99_999).hexdigest()
