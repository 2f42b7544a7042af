"""``voicegraph live``: runs a pipeline on the microphone and the loudspeaker."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ._live_options import (
    ClosesOption,
    DurationOption,
    FeedbackOption,
    HoldOption,
    HttpInfoOption,
    HttpOption,
    LimitOption,
    MonitorOption,
    OpensOption,
    OscOpenOption,
    OscOption,
    PlainOption,
    RecordOption,
    SilenceOption,
    SwapLimitOption,
    TalkOption,
    TokenOption,
    VariantOption,
)
from ._options import (
    AllowWriteOption,
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
    load,
)
from ._output import echo
from ._sound_options import (
    BuffersOption,
    ExclusiveOption,
    InputChannelsOption,
    InputOption,
    InputRateOption,
    InputSelectOption,
    MarginOption,
    OutputChannelsOption,
    OutputOption,
    OutputRateOption,
    OutputSelectOption,
    RoomOption,
    buffers,
    device_request,
    overrides,
    seconds,
)
from ._startup_display import startup_display
from ._termination import SIGNALS
from .app import app
from .process_end import expect_hung_threads

if TYPE_CHECKING:
    from fractions import Fraction

    from voicegraph.app.control_servers import Control
    from voicegraph.graph.live.session import LiveOptions, LiveSession
    from voicegraph.graph.live.setup import DeviceRequest, LiveSetup
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.live_status import LiveStatus


@app.command()
def live(
    pipeline: PipelineArg,
    input_: InputOption = None,
    output: OutputOption = None,
    input_rate: InputRateOption = None,
    output_rate: OutputRateOption = None,
    input_channels: InputChannelsOption = None,
    output_channels: OutputChannelsOption = None,
    input_select: InputSelectOption = None,
    output_select: OutputSelectOption = None,
    exclusive: ExclusiveOption = False,
    buffers_: BuffersOption = "low",
    margin: MarginOption = "4ms",
    room: RoomOption = "0ms",
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    variant: VariantOption = None,
    record: RecordOption = None,
    allow_write: AllowWriteOption = None,
    silence: SilenceOption = "run",
    silence_opens: OpensOption = -50.0,
    silence_closes: ClosesOption = -56.0,
    silence_hold: HoldOption = "1s",
    swap_limit: SwapLimitOption = "60s",
    monitor: MonitorOption = False,
    push_to_talk: TalkOption = False,
    duration: DurationOption = None,
    http: HttpOption = None,
    token: TokenOption = None,
    http_info: HttpInfoOption = None,
    osc: OscOption = None,
    osc_open: OscOpenOption = False,
    osc_feedback: FeedbackOption = None,
    control_limits: LimitOption = None,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Process the microphone with a pipeline, and play the result.

    Default: the system's default devices, at the pipeline's rate if they support it. Ctrl-C stops.
    """
    with startup_display(quiet=as_json):
        silent = _options(margin, silence, silence_opens, silence_closes, silence_hold, swap_limit)
        variants = overrides(variant)
        options = replace(silent, push_to_talk=push_to_talk, monitor=monitor, variant=variants)
        servers = _control_servers(
            http, token, osc, osc_open, osc_feedback, control_limits, http_info
        )
        duration_s = None if duration is None else float(seconds(duration, "--duration"))
        ends = (
            device_request("input", input_, input_rate, input_channels, input_select, exclusive),
            device_request(
                "output", output, output_rate, output_channels, output_select, exclusive
            ),
        )
        loaded = load(pipeline, set_args, profiles)
        setup = _set_up(loaded, ends, buffers(buffers_), variants, seconds(room, "--room"))
        _run(_opened(setup, options, record, allow_write), servers, duration_s, plain, as_json)


def _set_up(
    pipeline: Pipeline,
    ends: tuple[DeviceRequest, DeviceRequest],
    buffers: str | float,
    variant: dict[str, Any] | None,
    room: Fraction,
) -> LiveSetup:
    from voicegraph.graph.live.setup import set_up_live

    return set_up_live(pipeline, *ends, buffers=buffers, variant=variant, room=room)


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
        echo(_summary(session.status()), err=True)
    if session.has_hung_threads:
        expect_hung_threads()
    if session.error is not None:
        raise session.error


def _options(
    margin: str, silence: str, opens: float, closes: float, hold: str, swap_limit: str
) -> LiveOptions:
    from voicegraph.graph.live.session import LiveOptions

    if closes >= opens:
        raise typer.BadParameter("must be below --silence-opens", param_hint="--silence-closes")
    return LiveOptions(
        margin_s=float(seconds(margin, "--margin")),
        silence=silence,
        opens_db=opens,
        closes_db=closes,
        hold_s=float(seconds(hold, "--silence-hold")),
        swap_limit_s=float(seconds(swap_limit, "--swap-limit")),
    )


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


def _control_servers(
    http: str | None,
    token: str | None,
    osc: str | None,
    osc_open: bool,
    feedback: str | None,
    limits: list[str] | None,
    http_info: Path | None,
) -> Callable[[LiveSession], Control] | None:
    """Starts HTTP, WebSocket and OSC when called; None if not requested. Checks the options now."""
    if http is None and osc is None and feedback is None and not limits and http_info is None:
        return None
    from voicegraph.app.control.limits import parse_limits
    from voicegraph.app.control.options import ControlOptions
    from voicegraph.app.control_servers import Control

    granted = parse_limits(limits or ())
    options = ControlOptions(http, osc, token, osc_open, feedback, granted, http_info)

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


def _summary(status: LiveStatus) -> str:
    """What happened in the session; that nothing happened is only said if that is so."""
    minutes, rest = divmod(int(status.seconds), 60)
    took = f"99 of 100 blocks took {status.compute_p99_ms:.0f} of {status.block_ms:g} ms or less"
    lines = [f"{minutes}:{rest:02d} min; {took}"]
    events = status.health.events
    if not status.tick:
        lines.append("no sound was processed")
    elif not events:
        lines.append("no block was late or dropped, no device lost audio, no node failed")
    lines += [f"! {text}" for text in events]
    lines += [f"hint: {text}" for text in status.advice]
    if status.recording:
        lines.append(f"recorded: {status.recording}   (voicegraph replay {status.recording})")
    return "\n".join(lines)
