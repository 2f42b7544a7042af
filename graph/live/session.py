"""A live session: a pipeline between an input and an output device, with its controls.

The engine runs on a thread of its own. Screens, HTTP and OSC read ``status`` and send ``command``
from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.live_status import LiveState, LiveStatus, LoggedMessage, MessageKind

from ..errors import VoicegraphError
from ..runtime.fault_recovery import Fault
from ..runtime.openmp_pool import end_idle_threads
from ..startup_stages import end_stages
from ._command_handler import CommandHandler
from ._fault_messages import FileWatch, RecordingWatch, fault_message
from ._message_log import MessageLog
from ._overruns import AdviceMemory
from ._preload import preload_packages
from ._repeated_messages import RepeatedMessages
from ._shutdown import LIMIT_S, Shutdown
from ._swap_worker import SwapWorker
from ._takes import Takes
from ._thread_priority import autogroup_remark, lower_priority, normal_priority, raise_priority
from ._timing_cache import TimingCache
from ._yield_to_engine import yielding_to
from .devices.audio_backend import AudioBackend
from .factory import LiveOptions, create_loop, hold_delay
from .interpreter_tuning import GcControl, SwitchInterval
from .memory_trim import trim_memory
from .spectrum_feed import SpectrumFeed
from .status import build_status, live_latency

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.fault_recovery import Recovered
    from ..runtime.session import Session
    from ._ab_variants import Variants

_POLL_S = 0.002
"""Longest sleep of the engine thread before it looks for a new block."""
_RETRY_S = 1.0


class LiveSession:
    """Runs a session on an audio backend.

    Args:
        session: with one stream, compiled for the formats of the devices. It is closed at the end.
        card: opened, not yet started. It is stopped at the end.
        options: settings of the live session.

    Raises:
        StateError: if the delay that ``options`` ask for is too short.

    Attributes:
        stopped: set when the session has ended.
        error: the failure that ended the session; None if there was none.
        unfinished: what had not ended when the session had stopped, such as a node that hangs. The
            process cannot end in the ordinary way then.
        loop: the engine's loop.
        state: as in the status.
        messages: the newest messages, each with its time.
        timings: statistics of compute times.
        advice: the advice given so far.
        takes: recordings that begin and end while the session runs.
        devices_lost: how often a device went away.
        control_packets_dropped: control packets that were not carried out.
    """

    def __init__(
        self, session: Session, card: AudioBackend, options: LiveOptions | None = None
    ) -> None:
        self.session = session
        self.card = card
        self.options = options or LiveOptions()
        self.stopped = threading.Event()
        self.error: BaseException | None = None
        self.unfinished: list[str] = []
        self.state: LiveState = "starting"
        self.messages = MessageLog()
        self.begun = time.perf_counter()
        self.measured_ms: float | None = None
        self.timings = TimingCache(session)
        self.advice = AdviceMemory()
        self.devices_lost = 0
        self.control_packets_dropped = 0
        self.loop = create_loop(
            session, card.input, card.output, card.one_clock, self.options, self._note
        )
        hold_delay(self.loop, self.options, lambda: live_latency(self).expected_ms, self.say)
        session.recover_from_faults(self._on_fault, self._beside_engine)
        self._recording_watch = RecordingWatch()
        self._repeated = RepeatedMessages()
        self._file_watch = FileWatch()
        self.swap_worker = SwapWorker(
            session, self.say, self.options.swap_limit_s, self._late_blocks, self.loop.idle
        )
        self._stop = threading.Event()
        self.takes = Takes(session, self.options.takes, self.say)
        self._commands = CommandHandler(
            session, self.loop, self.swap_worker, self.takes, self.options, self.request_stop
        )
        self._thread = threading.Thread(target=self._run, name="voicegraph-engine", daemon=True)
        self._ending = threading.Thread(target=self._end, name="voicegraph-end", daemon=True)
        self._gc_control: GcControl | None = None
        self._switch_interval: SwitchInterval | None = None
        for note in session.notes:
            self.say(note)

    # ---- called from other threads ------------------------------------------------------------

    def start(self) -> None:
        """Starts the device callbacks and the engine thread.

        Raises:
            DeviceError: if a device cannot be started.
            VoicegraphError: if the second variant has mistakes, does not fit, or cannot be loaded.
        """
        preload_packages()
        self._commands.apply_options()
        self._gc_control = GcControl()
        trim_memory()
        self._switch_interval = SwitchInterval()
        self.begun = self.loop.spectra.begun = self.messages.begun = time.perf_counter()
        self.card.start(self.loop.capture.callback, self.loop.playback.callback)
        end_idle_threads()  # of this thread: the engine has a pool of its own
        self._thread.start()
        self._ending.start()
        end_stages()

    @property
    def plan(self) -> CompiledPlan:
        """The plan that runs now; another one after a hot swap."""
        return self.session.plan

    @property
    def spectra(self) -> SpectrumFeed:
        """Spectra of input and output, for those who watch."""
        return self.loop.spectra

    def status(self) -> LiveStatus:
        """All that is shown of the session."""
        return build_status(self)

    def command(self, command: LiveCommand) -> Future[None] | None:
        """Carries out a command, or begins it: a hot swap waits for the one before it.

        Returns:
            None if the command is carried out; for a hot swap, a future that is done when the new
            nodes are heard, and that fails if they are not.

        Raises:
            VoicegraphError: if it cannot be carried out; the session goes on unchanged.
        """
        return self._commands.execute(command)

    def say(self, text: str, kind: MessageKind = "note") -> None:
        """Adds a message to those that the status shows."""
        self.messages.add(text, kind)

    def log(self) -> list[LoggedMessage]:
        """All messages that are kept, oldest first; a status has the newest few."""
        return self.messages.newest()

    def count_dropped_packets(self, count: int) -> None:
        """Counts control packets that were not carried out, for the status."""
        self.control_packets_dropped += count

    def stop(self) -> None:
        """Ends the session, and waits until devices and files are closed. Safe to call twice.

        Takes two seconds at most. What has not ended then is named in ``error``, in a message and
        in ``unfinished``.
        """
        self._stop.set()
        if not self._ending.ident:  # never started
            if not self.stopped.is_set():
                self._close(Shutdown())
        elif threading.current_thread() not in (self._thread, self._ending):
            self.stopped.wait(LIMIT_S)

    @property
    def has_hung_threads(self) -> bool:
        """Whether threads that were left to themselves still run after the end.

        The process cannot end in the ordinary way then: Python ends threads in the middle of a
        library's code, which may crash.
        """
        return bool(self.unfinished) or self.swap_worker.at_work

    def request_stop(self) -> None:
        """Ends the session within two seconds; then ``stopped`` is set. Waits for nothing."""
        self._stop.set()

    @property
    def variants(self) -> Variants | None:
        """The two variants of the pipeline; None if there is one."""
        return self._commands.variants

    @property
    def stopping(self) -> bool:
        """Whether the end was requested."""
        return self._stop.is_set()

    # ---- the engine thread --------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._run_loop()
        except VoicegraphError as error:
            self.error = error
        except BaseException as error:  # the thread that waits for the end reports it
            self.error = error
        finally:
            self._stop.set()

    def _run_loop(self) -> None:
        loop = self.loop
        while not self._stop.is_set():
            if self.card.lost is not None:
                self._wait_for_device(self.card.lost)
                continue
            if loop.take_block():
                if self.state == "starting":
                    self._raise_priority()
                self.state = "running"
                loop.compute()
                loop.deliver(time.perf_counter())
                self._watch_recording()
            else:
                self._wait_for_block()

    def _beside_engine(self, run: Callable[[], None]) -> None:
        """Runs a function on a thread that does not compete with the engine."""

        def run_beside() -> None:
            lower_priority()
            with yielding_to(self.loop.idle):
                run()

        threading.Thread(target=run_beside, name="voicegraph-rebuild", daemon=True).start()

    def _raise_priority(self) -> None:
        raised, words = raise_priority(self.loop.playback.thread)
        self.say(f"engine: {words}")
        if raised and (remark := autogroup_remark()):
            self.say(remark)

    def _wait_for_block(self) -> None:
        now = time.perf_counter()
        due = self.loop.compensation.next_block_time(self.loop.capture.block)
        left = _POLL_S if due is None else due - now
        if self._gc_control is not None:
            self._gc_control.collect_if_due(now, left)
            left -= time.perf_counter() - now
        time.sleep(min(max(left, 0.0002), _POLL_S))

    def _wait_for_device(self, why: str) -> None:
        self.state = "waiting"
        self.devices_lost += 1
        self.say(f"{why}; waiting for it to come back", "fault")
        while not self._stop.wait(_RETRY_S):
            with normal_priority():
                back = self.card.reopen()
            if back:
                self.say("the device is back")
                self.loop.restart()
                return

    def _late_blocks(self) -> int:
        return self.loop.counts.late + self.loop.counts.dropped

    # ---- the thread that ends the session -----------------------------------------------------

    def _end(self) -> None:
        """Waits for the end of the session, and closes everything."""
        self._stop.wait()
        self.swap_worker.stop()
        shutdown = Shutdown()
        shutdown.wait_for_engine(self._thread, self.session.engine)
        try:
            self._close(shutdown)
        finally:
            self.stopped.set()  # whatever happens: others wait for it

    def _close(self, shutdown: Shutdown) -> None:
        # At the same time: a device that hangs must not cost the recording.
        shutdown.close(
            [
                ("the sound device does not close", [self.card.stop]),
                (
                    "the session's files (recording, sound files) are not finished",
                    [self._commands.close, self._close_session],
                ),
            ]
        )
        self.unfinished = shutdown.unfinished
        if (error := shutdown.error()) is not None:
            self.say(str(error.problems[0].message), "fault")
            self.error = self.error or error
        for failed in shutdown.errors:  # the first failure is reported
            self.error = self.error or failed
        for restored in (self._gc_control, self._switch_interval):
            if restored is not None:
                restored.close()
        self.state = "stopped"
        self.stopped.set()

    def _on_fault(self, event: Fault | Recovered) -> None:
        dry = self.loop.playback.policy == "dry"
        self.say(fault_message(event, dry), "fault" if isinstance(event, Fault) else "note")

    def _watch_recording(self) -> None:
        state = self.session.recording_state
        if state is not None and (text := self._recording_watch.update(state)) is not None:
            self.say(text, "fault")
        for text in self._file_watch.update(self.session.file_faults):
            self.say(text, "fault")

    def _close_session(self) -> None:
        self.session.close(wait_s=0.1)  # the engine has had its time

    def _note(self, tick: int, **what: Any) -> None:
        """Writes an event of the loop to the recording and to the messages."""
        note: Callable[..., None] | None = getattr(self.session, "note", None)
        if note is not None:
            note(tick=tick, **what)
        told = _event_message(what)
        if told is not None and (text := self._repeated.take(*told, time.perf_counter())):
            self.say(text, "fault")


def _event_message(what: dict[str, Any]) -> tuple[tuple[str, str], str] | None:
    """Kind and text of the message about an event of the loop; None if there is none."""
    if "late" in what:
        node = what["blamed"]
        return ("late", node), f"overrun: a block was late by {what['late']:.1f} ms: {node}"
    if "dropped" in what:
        blocks = "1 block" if what["dropped"] == 1 else f"{what['dropped']} blocks"
        return ("dropped", ""), f"dropped {blocks} that came too late to be played"
    if "realigned" in what:
        return ("realigned", ""), f"delay corrected by {what['realigned']:+.1f} ms"
    return None


Live = LiveSession  # the name in earlier documentation
