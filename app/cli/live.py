"""``voicegraph live``: runs a pipeline on the microphone and the loudspeaker."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ._end_report import end_report
from ._grouped_options import grouped
from ._live_arguments import LiveArguments
from ._options import load
from ._output import echo
from ._sound_options import buffers, delay_seconds, device_request, overrides, seconds
from ._startup_display import startup_display
from ._termination import SIGNALS
from .app import app
from .process_end import expect_hung_threads

if TYPE_CHECKING:
    from voicegraph.app.control_servers import Control
    from voicegraph.graph.live.devices.virtual_microphone import VirtualMicrophone
    from voicegraph.graph.live.session import LiveOptions, LiveSession
    from voicegraph.graph.live.setup import LiveSetup
    from voicegraph.schemas.live_status import LiveStatus


@app.command()
@grouped(LiveArguments)
def live(given: LiveArguments) -> None:
    """Process the microphone with a pipeline, and play the result.

    Default: the system's default devices, at the pipeline's rate if they support it. Ctrl-C stops.
    """
    with (
        end_report(given.end_report),
        startup_display(quiet=given.as_json),
        _virtual_microphone(given) as microphone,
    ):
        options = _options(given)
        servers = _control_servers(given)
        duration_s = (
            None if given.duration is None else float(seconds(given.duration, "--duration"))
        )
        setup = _set_up(given, options.variant, microphone)
        if microphone is not None:
            options = replace(options, microphone=microphone.description)
        session = _opened(setup, options, given.record, given.allow_write)
        if microphone is not None:
            session.say(f"virtual microphone: choose {microphone.description!r} in other programs")
        _run(session, servers, duration_s, given.plain, given.as_json)


@contextmanager
def _virtual_microphone(given: LiveArguments) -> Iterator[VirtualMicrophone | None]:
    """The microphone for other programs, if one was asked for; removed at the end."""
    if not given.virtual_mic:
        yield None
        return
    if given.output is not None:
        text = "plays to the virtual microphone, so there is no --output beside it"
        raise typer.BadParameter(text, param_hint="--virtual-mic")
    from voicegraph.graph.live.devices.virtual_microphone import VirtualMicrophone

    microphone = VirtualMicrophone(given.output_channels or 1)
    try:
        yield microphone
    finally:
        microphone.close()


def _set_up(
    given: LiveArguments, variant: dict[str, Any] | None, microphone: VirtualMicrophone | None
) -> LiveSetup:
    from voicegraph.graph.live.setup import set_up_live

    exclusive = given.exclusive
    source = device_request(
        "input",
        given.input_,
        given.input_rate,
        given.input_channels,
        given.input_select,
        exclusive,
    )
    target = device_request(
        "output",
        given.output if microphone is None else microphone.device,
        given.output_rate,
        given.output_channels if microphone is None else microphone.channels,
        given.output_select,
        exclusive,
    )
    pipeline = load(given.pipeline, given.set_args, given.profiles, given.confine)
    return set_up_live(
        pipeline,
        source,
        target,
        buffers=buffers(given.buffers_),
        variant=variant,
        room=seconds(given.room, "--room"),
    )


def _opened(
    setup: LiveSetup, options: LiveOptions, record: Path | None, allow_write: list[Path] | None
) -> LiveSession:
    """The session, which says what files it reads and writes."""
    from voicegraph.app.reports.file_list import file_lines, files_read, files_written

    session = setup.open_session(options, record, allow_write or ())
    for line in file_lines(files_read(setup.plan), files_written(setup.plan)):
        session.say(line)
    return session


def _run(
    session: LiveSession,
    servers: Callable[[LiveSession], Control] | None,
    duration_s: float | None,
    plain: bool,
    as_json: bool,
) -> None:
    from voicegraph.graph.live.devices.stderr_capture import capture_stderr

    display = _display(plain, as_json)
    with ExitStack() as stack:
        stack.enter_context(capture_stderr(session.say))
        stack.callback(session.stop)
        if servers is not None:
            stack.callback(servers(session).close)
        session.start()
        stack.enter_context(_stopped_by(session, duration_s))
        display(session)
    if not as_json:
        echo(_summary(session.status(), session.takes.finished), err=True)
    if session.has_hung_threads:
        expect_hung_threads()
    if session.error is not None:
        raise session.error


def _options(given: LiveArguments) -> LiveOptions:
    from voicegraph.graph.live.session import LiveOptions

    if given.silence_closes >= given.silence_opens:
        raise typer.BadParameter("must be below --silence-opens", param_hint="--silence-closes")
    return LiveOptions(
        margin_s=float(seconds(given.margin, "--margin")),
        silence=given.silence,
        opens_db=given.silence_opens,
        closes_db=given.silence_closes,
        hold_s=float(seconds(given.silence_hold, "--silence-hold")),
        swap_limit_s=float(seconds(given.swap_limit, "--swap-limit")),
        push_to_talk=given.push_to_talk,
        monitor=given.monitor,
        variant=overrides(given.variant),
        delay_s=delay_seconds(given.delay),
        takes=_takes_folder(given.takes),
    )


def _takes_folder(given: Path | None) -> Path:
    """The folder of takes, absolute: the process may change its folder.

    Raises:
        BadParameter: if it is something else than a folder.
    """
    from voicegraph.graph.files.user_folders import data_folder

    if given is not None and given.exists() and not given.is_dir():
        raise typer.BadParameter(f"{given} is a file, not a folder", param_hint="--takes")
    return (data_folder() / "takes" if given is None else given).absolute()


def _display(plain: bool, as_json: bool) -> Callable[[LiveSession], None]:
    """What displays a session until it ends; imported before the engine runs."""
    if as_json:
        from voicegraph.app.tui.line_output import run_json

        return partial(run_json, stream=sys.stdout)
    if plain or not sys.stdout.isatty():
        from voicegraph.app.tui.line_output import run_plain

        return partial(run_plain, stream=sys.stdout)
    from voicegraph.app.tui.run_screen import run_screen

    return run_screen


def _control_servers(given: LiveArguments) -> Callable[[LiveSession], Control] | None:
    """Starts HTTP, WebSocket and OSC when called; None if not requested. Checks the options now."""
    asked = (given.http, given.osc, given.osc_feedback, given.http_info, given.control_limits)
    if not any(asked):
        return None
    from voicegraph.app.control.limits import parse_limits
    from voicegraph.app.control.options import ControlOptions
    from voicegraph.app.control_servers import Control

    options = ControlOptions(
        http=given.http,
        osc=given.osc,
        token=given.token,
        osc_open=given.osc_open,
        osc_feedback=given.osc_feedback,
        limits=parse_limits(given.control_limits or ()),
        http_info=given.http_info,
    )

    def begin(session: LiveSession) -> Control:
        control = Control(session, options)
        control.start()
        for address in control.addresses:
            session.say(f"listening on {address}")
        return control

    return begin


@contextmanager
def _stopped_by(session: LiveSession, duration_s: float | None) -> Iterator[None]:
    """Stops the session after a time, or at a termination signal."""
    timer = threading.Timer(duration_s, session.request_stop) if duration_s is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda *_: session.request_stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if timer is not None:
            timer.cancel()


def _summary(status: LiveStatus, takes: Sequence[Path] = ()) -> str:
    """What happened in the session; that nothing happened is only said if that is so."""
    minutes, rest = divmod(int(status.seconds), 60)
    took = f"99 of 100 blocks took {status.compute_p99_ms:.0f} of {status.block_ms:g} ms or less"
    lines = [f"{minutes}:{rest:02d} min; {took}"]
    if status.latency.held_ms is not None:
        lines.append(f"delay from microphone to loudspeaker: {status.latency.held_ms:.0f} ms")
    events = status.health.events
    if not status.tick:
        lines.append("no sound was processed")
    elif not events:
        lines.append("no block was late or dropped, no device lost audio, no node failed")
    lines += [f"! {text}" for text in events]
    lines += [f"hint: {text}" for text in status.advice]
    lines += [f"take: {path}   (voicegraph replay {path})" for path in takes]
    if status.recording and Path(status.recording).exists():  # an empty take is removed
        lines.append(f"recorded: {status.recording}   (voicegraph replay {status.recording})")
    return "\n".join(lines)
