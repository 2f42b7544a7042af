"""``voicegraph devices``: lists sound devices."""

from __future__ import annotations

from ._options import JsonOption
from ._output import echo, print_json
from .app import app


@app.command()
def devices(as_json: JsonOption = False) -> int:
    """List sound devices, with the numbers and names that `live` takes.

    A part of the name is enough, in upper or lower case, optionally after the sound system:
    `--input headset`, `--output "wasapi: speakers"`. The default is marked with *.
    """
    from voicegraph.graph.live.devices.device_list import list_devices
    from voicegraph.schemas.devices_report import DevicesReport

    found = list_devices()
    if as_json:
        print_json(DevicesReport(devices=found))
    elif not found:
        echo("no sound devices", err=True)
        echo("  fix: connect one, or start the sound server (PipeWire, PulseAudio)", err=True)
    else:
        from voicegraph.app.reports.device_table import render_devices

        echo(render_devices(found))
    return 0 if found else 5
