"""What a command advises, in words of the page."""

from __future__ import annotations

import pytest

from voicegraph.app.page_server.services._problems import in_page
from voicegraph.graph.errors import Problem
from voicegraph.schemas.report import ProblemReport


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("--delay 525ms", "choose a constant delay of 525 ms or more on the tab Talk"),
        (
            "close the program that uses it, or choose another: voicegraph devices",
            "close the program that uses it, or choose another on the tab Talk",
        ),
        ("voicegraph devices", "choose another device on the tab Talk"),
        ('--input "USB (2- Mic)"', "choose another device on the tab Talk"),
        ("--set block=250ms", "choose another delay on the tab Talk"),
        ("free 2 GB", "free 2 GB"),
        (None, None),
    ],
)
def test_fix_for_the_command_line_is_one_for_the_page(said: str | None, shown: str | None) -> None:
    report = ProblemReport.model_validate(Problem("x", "it failed", fix=said).as_dict())
    assert in_page(report).fix == shown
