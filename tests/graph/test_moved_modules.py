"""Old module paths of the documentation: importable, runnable, and they name the new path."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from voicegraph.graph.moved_modules import MOVED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_old_import_gives_the_new_module(old: str, new: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=f"{old} is now {new}"):
        found = import_module(old)
    moved = import_module(new)
    public = [name for name in vars(moved) if not name.startswith("_")]
    assert public
    assert all(getattr(found, name) is getattr(moved, name) for name in public)


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("voicegraph.graph.control.options", "ControlOptions"),
        ("voicegraph.graph.control.server", "Control"),
        ("voicegraph.graph.live.session", "Live"),
        ("voicegraph.graph.recording.reading", "open_recording"),
        ("voicegraph.graph.recording.replaying", "plan_of"),
        ("voicegraph.graph.recording.replaying", "run"),
        ("voicegraph.graph.weights", "fit"),
        ("voicegraph.graph.weights", "open_archive"),
        ("voicegraph.nodes.synth.rvc_example", "voice"),
    ],
)
@pytest.mark.filterwarnings("ignore:.* is now:FutureWarning")
def test_documented_name_is_still_importable(old: str, name: str) -> None:
    assert callable(getattr(import_module(old), name))


def test_old_module_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "voicegraph.graph.views.editor_schema", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "is now voicegraph.app.reports.editor_schema" in done.stderr
    assert "usage: python -m voicegraph.app.reports.editor_schema" in done.stdout


def test_unknown_old_path_is_still_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("voicegraph.graph.views.nothing")
