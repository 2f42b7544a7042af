"""The live session of the app: started, followed, found again, stopped.

It runs in a process of its own. A note in the user's state folder tells the next page server of
it, so that either process may be killed without the other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.graph.files.voice_library import PREFIX
from voicegraph.schemas.app import SessionPhase, SessionState
from voicegraph.schemas.control import Answer, RunningPipeline
from voicegraph.schemas.live_command import LiveCommand, Stop
from voicegraph.schemas.report import ProblemReport
from voicegraph.schemas.session_note import SessionLaunch, SessionNote

from ._problems import in_page
from .load_shedding import LoadShedding
from .page_clients import PageClients
from .process_identity import is_running, started_at
from .session_files import SessionFiles, SessionFolder
from .session_link import OTHER_VERSION, SessionLink, session_is_gone
from .session_process import SessionProcess

_POLL_S = 0.2
_ANSWER_S = 2.0
_ENDS_S = 6.0
"""Seconds in which a session ends that is asked to; it takes two at most."""
_ENDS_BY_SIGNAL_S = 3.0
_LOG_LINES = 5
_REFUSED = "Error: "
"""How the command line begins the sentence about a wrong option."""

_OF_A_VOICE = re.compile(r"vars\.(voice|index)|assets\.")
"""Overrides that another voice replaces."""

LiveCommandLine = Callable[[SessionLaunch, SessionFiles], list[str]]
"""Makes the command line of a session."""


class LiveSessions:
    """The session that runs, if there is one; all methods run in one event loop.

    Args:
        folder: of the note and of the session's files.
        command_line: makes the command line of a session.
        say: receives messages about faults.

    Attributes:
        shedding: follows the headroom of the session.
        clients: the pages that follow it.
    """

    def __init__(
        self, folder: SessionFolder, command_line: LiveCommandLine, say: Callable[[str], None]
    ) -> None:
        self.shedding = LoadShedding()
        self.clients = PageClients(self.shedding)
        self._folder, self._command_line, self._say = folder, command_line, say
        self._state = SessionState(state="none")
        self._note: SessionNote | None = None
        self._process: SessionProcess | None = None
        self._foreign: SessionProcess | None = None  # runs, and is of another version
        self._link: SessionLink | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    # ---- what routes call ---------------------------------------------------------------------

    async def state(self) -> SessionState:
        """What runs now; a session of an earlier page server, too."""
        await self._open()
        return self._state

    async def start(self, launch: SessionLaunch) -> SessionState:
        """Starts a session in place of one that runs; does not wait until it runs.

        Raises:
            VoicegraphError: if its process cannot be started.
        """
        await self._open()
        async with self._turn:
            self._take_up_newer()
            await self._end_running()
            await asyncio.to_thread(self._start, launch)
            self._set(self._described("starting"))
            return self._state

    async def restart(self) -> SessionState:
        """Starts the session again as it was started last.

        Raises:
            StateError: if none was.
        """
        await self._open()
        note = self._note
        if note is None:
            raise StateError(Problem("no-session", "there was no session", fix="POST /api/session"))
        return await self.start(note.launch)

    async def stop(self) -> SessionState:
        """Stops the session, and waits until it has ended; nothing if none runs."""
        await self._open()
        async with self._turn:
            self._take_up_newer()
            await self._end_running()
            self._set(SessionState(state="none"))
            return self._state

    async def run(self, command: LiveCommand) -> Answer:
        """Carries out a command.

        Raises:
            StateError: if no session runs.
        """
        await self._open()
        if isinstance(command, Stop):
            await self.stop()
            return Answer(ok=True, command=command)
        return await self._running_link().run(command)

    async def pipeline(self) -> RunningPipeline:
        """What the session runs now.

        Raises:
            StateError: if no session runs.
        """
        await self._open()
        return await self._running_link().pipeline()

    async def live_values(self) -> dict[str, Any]:
        """The values of the live params: ``node.param`` -> value.

        Raises:
            StateError: if no session runs.
        """
        await self._open()
        return await self._running_link().live_values()

    def changed_to(self, launch: SessionLaunch) -> SessionState:
        """Notes that the running session was changed to what would be started so.

        A restart starts it so, and pages show it so.
        """
        if self._note is not None:
            self._note_now(self._note.model_copy(update={"launch": launch}))
            self._set(self._described(self._state.state))
        return self._state

    @property
    def launch(self) -> SessionLaunch | None:
        """How the session was started; None if none was."""
        return None if self._note is None else self._note.launch

    # ---- starting and ending ------------------------------------------------------------------

    def _start(self, launch: SessionLaunch) -> None:
        """Notes the session before its process runs: no session is without a note."""
        files = self._folder.new_session()
        command = self._command_line(launch, files)
        note = SessionNote(
            folder=str(files.folder),
            pid=None,
            process_started=None,
            since=datetime.now(UTC),
            launch=launch,
        )
        self._folder.write_note(note)
        try:
            process = SessionProcess.start(command, files)
        except OSError as error:
            self._folder.note_path.unlink(missing_ok=True)
            text = f"the session's process cannot be started: {error}"
            raise VoicegraphError(Problem("cannot-start", text)) from error
        self._process = process
        self._note_now(
            note.model_copy(update={"pid": process.pid, "process_started": process.started})
        )

    def _note_now(self, note: SessionNote) -> None:
        self._note = note
        self._folder.write_note(note)

    async def _end_running(self) -> None:
        """Ends the session that runs: by a command, by a signal, at last by force."""
        if self._foreign is not None:
            await _end_by_signal(self._foreign)
            self._foreign = None
        process, link = self._process, self._link
        if process is None or self._note is None:
            return
        self._note_now(self._note.model_copy(update={"stopped": True}))
        if link is not None:
            with suppress(VoicegraphError, TimeoutError):
                await asyncio.wait_for(link.run(Stop()), _ANSWER_S)
            await _wait_until_dead(process, _ENDS_S)
        await _end_by_signal(process)
        await self._unlink()
        self._process = None

    # ---- following ----------------------------------------------------------------------------

    async def _open(self) -> None:
        """Takes up what an earlier page server has started; from now on the session is watched."""
        if self._watching is None:
            self._take_up_newer()
            self._watching = asyncio.create_task(self._watch())

    def _take_up_newer(self) -> None:
        """Follows the session of the note, unless it is known."""
        note = self._folder.read_note()
        if self._process is None:
            self._look_for_foreign(note)
        if note is None or (self._note is not None and note.folder == self._note.folder):
            return
        self._note, self._process = note, _process_of(note)
        if self._process is not None:
            self._set(self._described("starting"))
        else:
            self._set_ended()

    async def _watch(self) -> None:
        """Looks after the session as long as the page server runs."""
        while True:
            if not self._turn.locked():
                async with self._turn:
                    try:
                        await self._look()
                    except (VoicegraphError, OSError) as error:
                        self._say(f"app: {error}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.clients.changed.wait(), _POLL_S)
            self.clients.changed.clear()

    async def _look(self) -> None:
        process = self._process
        if process is None:
            self._take_up_newer()
        elif self._link is None:
            self._connect_if_ready(process)
        elif self._tasks["commands"].done():
            await self._unlink()
            if process.alive:
                return  # the connection alone has ended
        else:
            self._follow("statuses", self.clients.watched, self._link.follow_statuses)
            self._follow("spectra", self.clients.want_spectrum, self._link.follow_spectra)
        if process is not None and self._link is None and not process.alive:
            self._process = None
            self._set_ended(process.ended_by)

    def _look_for_foreign(self, note: SessionNote | None) -> None:
        """Tells of a session that runs, and whose note this version does not understand."""
        before = self._foreign
        found = None if note is not None else self._folder.process_of_foreign_note()
        self._foreign = SessionProcess(*found) if found and is_running(*found) else None
        if self._foreign is not None:
            problems = [ProblemReport.model_validate(OTHER_VERSION.as_dict())]
            self._note = None
            self._set(SessionState(state="ended", problems=problems))
        elif before is not None and note is None:
            self._set(SessionState(state="none"))

    def _connect_if_ready(self, process: SessionProcess) -> None:
        assert self._note is not None
        files = SessionFiles.of(self._note)
        info = files.read_info()
        if info is not None and process.alive:
            self._link = SessionLink(info, self._pass_on)
            self._tasks["commands"] = asyncio.create_task(
                self._link.serve_commands(self._on_status)
            )
        elif (stage := files.stage()) != self._state.stage:
            self._set(self._state.model_copy(update={"stage": stage}))

    def _follow(self, name: str, wanted: bool, follow: Callable[[], Any]) -> None:
        """Starts or ends a connection that is needed only while somebody looks."""
        task = self._tasks.get(name)
        if wanted and (task is None or task.done()):
            self._tasks[name] = asyncio.create_task(follow())
        elif not wanted and task is not None:
            self._tasks.pop(name).cancel()

    async def _unlink(self) -> None:
        """Ends the connections; the last messages have arrived."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        self._link = None
        self.shedding.follow(None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _pass_on(self, text: str, message: dict[str, Any]) -> None:
        if message["kind"] == "spectrum":
            self.clients.send_spectrum(text)
        else:
            self.clients.send_status(text, last=message["status"]["state"] == "stopped")

    def _on_status(self, status: dict[str, Any]) -> None:
        """A status a second: the session runs, perhaps with another voice or less headroom."""
        self.shedding.follow(status.get("headroom"))
        voice = status.get("voice") or self._state.voice
        known = self._state.voice
        if self._state.state != "running" or known is None:  # a preset does not say its voice
            self._set(self._described("running").model_copy(update={"voice": voice}))
        elif voice is not None and voice != known:
            self._voice_changed(voice)

    def _voice_changed(self, voice: str) -> None:
        """Notes the voice that somebody has chosen: a restart speaks with it."""
        note = self._note
        assert note is not None
        overrides = {k: v for k, v in note.launch.overrides.items() if not _OF_A_VOICE.match(k)}
        launch = note.launch.model_copy(
            update={
                "voice": voice,
                "request": note.launch.request.model_copy(update={"voice": voice}),
                "overrides": {**overrides, "vars.voice": f"{PREFIX}{voice}"},
            }
        )
        self.changed_to(launch)

    # ---- the state ----------------------------------------------------------------------------

    def _running_link(self) -> SessionLink:
        if self._link is None or self._state.state != "running":
            raise session_is_gone()
        return self._link

    def _set(self, state: SessionState) -> None:
        if state != self._state:
            self._state = state
            self.clients.send(state.model_dump_json())

    def _set_ended(self, how: str = "ended") -> None:
        """Whether it was stopped on purpose, or ended by a fault."""
        note = self._note
        assert note is not None
        end = SessionFiles.of(note).read_end()
        if note.stopped or (end is not None and end.ok):
            self._set(SessionState(state="none"))
            return
        when = datetime.now(UTC) if end is None else datetime.fromtimestamp(end.ended_unix_s, UTC)
        problems = [_death(note, how)] if end is None else [in_page(p) for p in end.problems]
        more = {"ended": when, "problems": problems, "can_restart": True}
        self._set(self._described("ended").model_copy(update=more))

    def _described(self, state: SessionPhase) -> SessionState:
        note = self._note
        assert note is not None
        request = note.launch.request
        return SessionState(
            state=state,
            voice=note.launch.voice,
            pipeline=note.launch.pipeline,
            profile=note.launch.profile,
            quality=None if request.preset else request.quality,
            preset=request.preset,
            input=request.input,
            output=request.output,
            delay_ms=request.delay_ms,
            virtual_microphone=request.virtual_microphone,
            since=note.since,
        )


def _death(note: SessionNote, how: str) -> ProblemReport:
    """The problem of a process that ended without a report."""
    lines = SessionFiles.of(note).log_lines()
    refused = [line.removeprefix(_REFUSED) for line in lines if line.startswith(_REFUSED)]
    if refused:  # its command line was wrong: it never began
        problem = Problem("session-refused", f"the session could not begin: {refused[-1]}")
        return ProblemReport.model_validate(problem.as_dict())
    text = f"the session's process {how} without saying why: it was ended from outside, or crashed"
    notes = tuple((line, None) for line in lines[-_LOG_LINES:])
    problem = Problem("session-died", text, notes=notes, fix="start it again")
    return ProblemReport.model_validate(problem.as_dict())


def _process_of(note: SessionNote) -> SessionProcess | None:
    """The process of a note, if it still runs."""
    pid, started = note.pid, note.process_started
    if pid is None:  # the page server ended between the start and its note
        info = SessionFiles.of(note).read_info()
        pid = None if info is None else info.pid
        started = None if pid is None else started_at(pid)
    if pid is None or started is None or not is_running(pid, started):
        return None
    return SessionProcess(pid, started)


async def _end_by_signal(process: SessionProcess) -> None:
    """Ends a process that may not listen: by a signal, at last by force."""
    process.end()
    await _wait_until_dead(process, _ENDS_BY_SIGNAL_S)
    process.end(force=True)
    await _wait_until_dead(process, _ENDS_BY_SIGNAL_S)


async def _wait_until_dead(process: SessionProcess, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while process.alive:
                await asyncio.sleep(0.05)
