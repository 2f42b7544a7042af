"""The upper part: heading, meters, load, late blocks, latencies, clocks."""

from __future__ import annotations

from ._heading import heading
from ._meters import device, meter
from ._panel import Panel
from ._status_lines import clocks, delays, lateness, load
from ._text_lines import Line

_WITH_DEVICES = 9
"""Lines from which on there is room for the devices' names."""


class Overview(Panel):
    """One line each, seven in all, or nine."""

    def lines(self, width: int, height: int) -> list[Line]:
        """The lines."""
        view, status = self.view, self.view.status
        tall = height >= _WITH_DEVICES
        ends = [
            ("input", status.input, view.input_hold),
            ("output", status.output, view.output_hold),
        ]
        found = [heading(status, view.stopping, width)]
        for name, end, hold in ends:
            found.append(meter(name, end, hold, width))
            if tall:
                found.append(device(end, width))
        return [
            *found,
            load(status, width),
            lateness(status.late, {node.name for node in status.nodes}, width),
            delays(status.latency, width),
            clocks(status.drift, width),
        ]
