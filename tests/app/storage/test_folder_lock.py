"""Locks of folders: they tell who lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from voicegraph.app.storage import FolderLock, is_locked, remove_folder, size_of

HOLD = """
import sys, time
from pathlib import Path
from voicegraph.app.storage import FolderLock
lock = FolderLock(Path(sys.argv[1]))
assert lock.take()
print("held", flush=True)
time.sleep(60)
"""


def test_lock_is_exclusive_and_can_be_looked_at(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    one, other = FolderLock(tmp_path), FolderLock(tmp_path)
    assert one.take()
    assert is_locked(tmp_path)
    assert not other.take()
    one.release()
    assert not is_locked(tmp_path)
    assert other.take()
    other.release()
    assert not is_locked(tmp_path / "gone")


def test_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        assert is_locked(tmp_path)
        process.kill()
        process.wait()
    assert not is_locked(tmp_path)


def test_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a").write_bytes(bytes(100))
    assert size_of(folder) == 100
    remove_folder(folder)
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []
    assert size_of(folder) == 0


def test_a_folder_that_is_gone_is_not_made_to_be_locked(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert not FolderLock(gone).take()
    assert not is_locked(gone)
    assert not gone.exists()
