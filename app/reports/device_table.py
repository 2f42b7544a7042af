"""Sound devices as a table."""

from __future__ import annotations

from collections.abc import Sequence

from voicegraph.schemas.devices_report import SoundDevice

from .text_table import Column, table

_COLUMNS = (
    Column("", right=True),
    Column("name", wraps=True),
    Column("sound system"),
    Column("in", right=True),
    Column("out", right=True),
    Column("Hz", right=True),
    Column("latency\nms", right=True),
)


def render_devices(devices: Sequence[SoundDevice]) -> str:
    """One line per device, and an explanation of the marks."""
    rows = [_row(device) for device in devices]
    lines = table(_COLUMNS, rows)
    return "\n".join(
        [*lines, "", "* is the default; `live` takes the number or a part of the name"]
    )


def _row(device: SoundDevice) -> tuple[str, ...]:
    return (
        str(device.index),
        device.name,
        device.host_api,
        _channels(device.inputs, device.default_input),
        _channels(device.outputs, device.default_output),
        str(device.default_rate_hz),
        f"{device.low_latency_ms:.0f} .. {device.high_latency_ms:.0f}",
    )


def _channels(count: int, default: bool) -> str:
    return f"{count or '-'}{'*' if default and count else ''}"
