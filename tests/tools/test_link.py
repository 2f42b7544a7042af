"""``tools/link.py``: the link by which static tools find the package."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

needs_symlinks = pytest.mark.skipif(os.name == "nt", reason="Windows asks for a privilege")
link = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "link.py"))["link"]


def test_link_leads_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "py.typed").touch()
    made = link(tmp_path)
    assert made == tmp_path / ".dev" / "voicegraph"
    assert (made / "py.typed").is_file()
    assert made.samefile(tmp_path)


def test_link_is_made_once(tmp_path: Path) -> None:
    made = link(tmp_path)
    before = made.lstat().st_mtime_ns
    assert link(tmp_path).lstat().st_mtime_ns == before


@needs_symlinks
def test_link_of_moved_clone_is_remade(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "clone" / ".dev").mkdir(parents=True)
    elsewhere.mkdir()
    (tmp_path / "clone" / ".dev" / "voicegraph").symlink_to(elsewhere, target_is_directory=True)
    assert link(tmp_path / "clone").samefile(tmp_path / "clone")
    assert elsewhere.is_dir()


@needs_symlinks
def test_dangling_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".dev").mkdir()
    (tmp_path / ".dev" / "voicegraph").symlink_to(tmp_path / "gone", target_is_directory=True)
    assert link(tmp_path).samefile(tmp_path)


def test_folder_with_files_is_not_removed(tmp_path: Path) -> None:
    """Somebody put a copy there: that is not ours to delete."""
    kept = tmp_path / ".dev" / "voicegraph" / "kept.py"
    kept.parent.mkdir(parents=True)
    kept.touch()
    with pytest.raises(OSError, match="voicegraph"):
        link(tmp_path)
    assert kept.is_file()
