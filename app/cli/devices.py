"""``voicegraph devices``: what can be recorded from and played on."""

from __future__ import annotations

import typer

from ._options import JsonOption
from .app import app


@app.command()
def devices(as_json: JsonOption = False) -> int:
    """Lists sound devices, with the numbers and names that `live` takes.

    A part of a name is enough, in any case, and the sound system may stand before it:
    `--input headset`, `--output "wasapi: speakers"`. The default is marked with *.
    """
    from voicegraph.graph.live.devices.device_list import list_devices
    from voicegraph.schemas.devices_report import DevicesReport

    found = list_devices()
    if as_json:
        from ._output import print_json

        print_json(DevicesReport(devices=found))
    elif not found:
        typer.echo("no sound devices", err=True)
        typer.echo(
            "  fix: plug one in, or switch the sound server on (PipeWire, PulseAudio)", err=True
        )
    else:
        from voicegraph.app.reports.device_table import device_page

        typer.echo(device_page(found))
    return 0 if found else 5
