"""The process of a live session: started detached, found again, ended.

It belongs to no terminal and to no group of the page server's, so that neither Ctrl-C nor
``kill -9`` of the server reaches it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from voicegraph.app.background import how_it_ended
from voicegraph.graph.files.private_folder import private_folder
from voicegraph.schemas.session_note import SessionLaunch

from .process_identity import end_process, is_running, started_at
from .session_files import SessionFiles
from .sound_devices import PYTHON

_WEBSOCKETS = 32
"""Clients of the session's own interface: the page server needs three."""
_SECRETS = ("VOICEGRAPH_TOKEN",)
"""Variables that the session must not inherit: its token is its own."""


def live_command(
    launch: SessionLaunch, files: SessionFiles, readable: Sequence[Path], takes: Path
) -> list[str]:
    """The command line that runs a session; it holds no token.

    Args:
        launch: what to run.
        files: where it writes.
        readable: the folders of which its pipeline may name files; they are made if missing.
        takes: the folder in which it records.
    """
    request = launch.request
    command = [*PYTHON, "voicegraph", "live", launch.path, "--plain"]
    command += ["--http", "127.0.0.1:0", "--http-info", str(files.info)]
    command += ["--end-report", str(files.end), "--takes", str(takes)]
    command += ["--control-limit", f"websocket_clients={_WEBSOCKETS}"]
    command += ["--room", f"{launch.room_ms:g}ms"] if launch.room_ms else []
    command += ["--profile", launch.profile] if launch.profile is not None else []
    for folder in readable:
        command += ["--confine", str(private_folder(folder))]
    for path, value in launch.overrides.items():
        command += ["--set", f"{path}={json.dumps(value)}"]  # JSON is YAML
    command += [f"--input={request.input}"] if request.input else []
    if request.virtual_microphone:
        command += ["--virtual-mic"]
    elif request.output:
        command += [f"--output={request.output}"]
    command += ["--delay", f"{request.delay_ms:g}ms"] if request.delay_ms is not None else []
    command += ["--push-to-talk"] if request.push_to_talk else []
    command += ["--monitor"] if request.monitor else []
    return command


class SessionProcess:
    """A session's process, ours or that of an earlier page server.

    Args:
        pid: its number.
        started: when it began.
        child: if it is a child of this process.
    """

    def __init__(
        self, pid: int, started: float, child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.pid, self.started = pid, started
        self._child = child

    @classmethod
    def start(cls, command: Sequence[str], files: SessionFiles) -> SessionProcess:
        """Starts a command in the session's folder, detached.

        Raises:
            OSError: if the system refuses.
        """
        environment = {k: v for k, v in os.environ.items() if k not in _SECRETS}
        with files.log.open("wb") as log:
            child = subprocess.Popen(
                command,
                cwd=files.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                creationflags=_detached(),
            )
        return cls(child.pid, started_at(child.pid) or 0.0, child)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        if self._child is not None:
            return self._child.poll() is None
        return is_running(self.pid, self.started)

    @property
    def ended_by(self) -> str:
        """How its process ended, as far as that is known: a phrase."""
        return how_it_ended(None if self._child is None else self._child.poll())

    def end(self, *, force: bool = False) -> None:
        """Asks it to end, or kills it."""
        if not self.alive:
            return
        if self._child is not None:
            self._child.kill() if force else self._child.terminate()
        else:
            end_process(self.pid, self.started, force=force)


def _detached() -> int:
    """Flags of Windows: a process group of its own, and no window."""
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
