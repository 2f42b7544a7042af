"""The command line of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.page_server.services.session_files import SessionFiles
from voicegraph.app.page_server.services.session_process import live_command
from voicegraph.schemas.app import StartSession
from voicegraph.schemas.session_note import SessionLaunch


def _command(tmp_path: Path, **asked: Any) -> list[str]:
    launch = SessionLaunch(
        request=StartSession(**asked), pipeline="default-live", path="default-live", voice="heart"
    )
    return live_command(launch, SessionFiles(tmp_path), [], tmp_path / "takes")


def test_constant_delay_and_virtual_microphone_are_options(tmp_path: Path) -> None:
    command = _command(tmp_path, delay_ms=320, virtual_microphone=True, output="ALSA: loop")
    assert command[command.index("--delay") + 1] == "320ms"
    assert "--virtual-mic" in command
    assert not any(word.startswith("--output") for word in command), "it plays to the microphone"


@pytest.mark.parametrize("delay_ms", [0, -1, 1e9, float("nan"), "1 s"])
def test_senseless_delays_are_refused(delay_ms: Any) -> None:
    with pytest.raises(ValueError, match="delay_ms"):
        StartSession(delay_ms=delay_ms)
