"""Sets up a live session: finds devices and formats, compiles the pipeline, opens the devices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from voicegraph.schemas.devices_report import SoundDevice

from ..errors import DeviceError, OutputError, PipelineError, Problem
from ..files.recordings.paths import recorded_files
from ..pipeline import Pipeline, Plan
from ..signals import Audio
from ..startup_stages import begin_stage
from .devices.device_format import FormatRequest, choose_format
from .devices.device_list import Direction, find_device
from .devices.host_settings import host_settings
from .devices.sound_card import DeviceChoice, SoundCard
from .session import LiveOptions, LiveSession


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """What a user asks of the input or of the output device.

    Attributes:
        device: number, name or part of the name; None: the system's default.
        rate: in Hz; None: the best that the device has.
        channels: number of channels; None: the best that the device has.
        select: which channels of the device, counted from 0; empty: the first ones.
        exclusive: WASAPI's exclusive mode.
    """

    device: str | int | None = None
    rate: int | None = None
    channels: int | None = None
    select: Sequence[int] = ()
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class LiveSetup:
    """Devices, formats and the compiled pipeline of a live session.

    Attributes:
        input: the input device and its format.
        output: the output device and its format.
        plan: the pipeline compiled for both.
        buffers: ``low``, ``high`` or seconds, for the sound system.
    """

    input: DeviceChoice
    output: DeviceChoice
    plan: Plan
    buffers: str | float = "low"

    def open_card(self) -> SoundCard:
        """Opens the devices.

        Raises:
            DeviceError: if a device is busy or gone.
        """
        return SoundCard(self.input, self.output, latency=self.buffers)

    def open_session(
        self,
        options: LiveOptions | None = None,
        record: Path | None = None,
        allow_write: Sequence[str | Path] = (),
    ) -> LiveSession:
        """Opens a live session that is ready to start: loads weights first, opens devices last.

        Args:
            options: settings of the live session.
            record: the recording to write; None for none.
            allow_write: folders in which a pipeline file may have files written; see ``Session``.

        Raises:
            OutputError: if the recording exists, or cannot be written.
            VoicegraphError: if weights or a device fail.
        """
        if record is not None:
            _refuse_existing(record)
        session = self.plan.session(record=record, record_waits=False, allow_write=allow_write)
        card: SoundCard | None = None
        try:
            begin_stage("opening the devices")
            card = self.open_card()
            return LiveSession(session, card, options)
        except BaseException:
            if card is not None:
                card.stop()
            session.close()
            if record is not None:
                _remove(record)  # it is empty, and would block the next try
            raise


def _remove(path: Path) -> None:
    for file in recorded_files(path):
        file.unlink(missing_ok=True)


def _refuse_existing(path: Path) -> None:
    existing = [p for p in recorded_files(path) if p.exists()]
    if existing:
        text = f"{existing[0]} exists"
        raise OutputError(Problem("exists", text, fix="give another name, or remove it"))


def set_up_live(
    pipeline: Pipeline,
    source: DeviceRequest,
    target: DeviceRequest,
    *,
    buffers: str | float = "low",
    variant: dict[str, Any] | None = None,
    room: Fraction = Fraction(0),
    module: Any = None,
) -> LiveSetup:
    """Finds devices and formats, and compiles the pipeline for them.

    Args:
        pipeline: the pipeline to run.
        source: the input device.
        target: the output device.
        buffers: ``low``, ``high`` or seconds, for the sound system.
        variant: overrides of a second variant; the session gets at least its latency.
        room: least algorithmic latency of the session in seconds, so that nodes with more
            look-ahead can be swapped in.
        module: in place of sounddevice.

    Raises:
        DeviceError: if a device is not found, or has no format that fits.
        PipelineError: if the pipeline has mistakes, or its output is not audio.
    """
    begin_stage(f"compiling {pipeline.name}")
    plan = pipeline.compile()
    if not isinstance(plan.output_type, Audio):
        text = f"the output of {plan.name} is {plan.output_type}, and a loudspeaker takes audio"
        mark = pipeline.loaded.source_map.value(("output",))
        raise PipelineError(Problem("output-not-audio", text, mark, fix="name an audio output"))
    begin_stage("looking for sound devices")
    taken, given = _choices(plan, plan.output_type, source, target, module)
    ends = (taken.format, given.format)
    if variant is not None:
        other = pipeline.changed(variant).compile(*ends)
        room = max(room, other.latency.algorithmic)
    begin_stage(f"compiling {pipeline.name}")
    return LiveSetup(taken, given, pipeline.compile(*ends, room), buffers)


def _choices(
    plan: Plan, made: Audio, source: DeviceRequest, target: DeviceRequest, module: Any
) -> tuple[DeviceChoice, DeviceChoice]:
    first = find_device(source.device, "input", module)
    second = find_device(target.device, "output", module)
    taken = _choice(first, "input", plan.source, plan.block, source, module)
    if first.index == second.index and target.rate is None:
        # One device at one rate is one stream with one clock, which is worth a resampler.
        same = replace(target, rate=int(taken.format.rate))
        with suppress(DeviceError):  # the device has that rate in one direction only
            return taken, _choice(second, "output", made, plan.block, same, module)
    return taken, _choice(second, "output", made, plan.block, target, module)


def _choice(
    device: SoundDevice,
    direction: Direction,
    preferred: Audio,
    block: Fraction,
    wish: DeviceRequest,
    module: Any,
) -> DeviceChoice:
    settings = host_settings(
        device, direction, exclusive=wish.exclusive, select=wish.select, module=module
    )
    channels = wish.channels or (len(wish.select) or None)
    if wish.select and channels != len(wish.select):
        named = len(wish.select)
        text = f"--{direction}-select names {named} channels, --{direction}-channels {channels}"
        fix = f"leave out --{direction}-channels"
        raise DeviceError(Problem("device-channels", text, fix=fix))
    found = choose_format(
        device, direction, preferred, block, FormatRequest(wish.rate, channels, settings), module
    )
    return DeviceChoice(device, found, settings)
