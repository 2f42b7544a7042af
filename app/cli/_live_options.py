"""Options of ``voicegraph live`` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from ._options import flag, option

_SILENCE = "Silence"
_DISPLAY = "Display"
_CONTROL = "Remote control"

_VARIANT = (
    "Override of a second variant (B), for comparison with one key at equal loudness. May be "
    "repeated."
)
_RECORD = "Record input, output and all changes; `voicegraph replay` runs the recording again."
_MICROPHONE = (
    "Make a virtual microphone for other programs, and play to it; it is removed at the end. Linux "
    "only; docs/routing.md says what to do elsewhere."
)
_TAKES = (
    "Folder of the recordings that are begun while the session runs (key `r`). Default: `takes` in "
    "the user's data folder."
)
_REST = "`skip` stops processing while nobody speaks; `run` never stops."
_HOLD = "With `skip`: how long it must be silent before processing stops."
_SWAP_LIMIT = "Give up a change of nodes, voices or profiles that is not complete after this time."
_PLAIN = "Print lines instead of a screen; this is the default if the output is no terminal."
_HTTP = "Offer HTTP and WebSocket there; only this machine can connect, unless HOST is given."
_LIMIT = (
    "What clients may take at most: connections, seconds for a request, OSC packets a second and "
    "others; docs/control.md lists them. May be repeated."
)
_INFO = (
    "Write address and token of HTTP into this file, which only you can read; without a token, a "
    "random one is made. The file is removed at the end."
)
_END = "Write into this file how the session ended, as JSON: on purpose, or by which problems."
_TOKEN = "Token that HTTP clients must send; required if other machines can connect."

VariantOption = Annotated[list[str] | None, option("PATH=VALUE", _VARIANT, "--b")]
RecordOption = Annotated[Path | None, option("FILE.jsonl", _RECORD)]
MicrophoneOption = Annotated[bool, flag("--virtual-mic", _MICROPHONE, "Devices")]
TakesOption = Annotated[Path | None, option("DIR", _TAKES)]
SilenceOption = Annotated[Literal["run", "skip"], option(None, _REST, panel=_SILENCE)]
OpensOption = Annotated[
    float, option("DB", "With `skip`: level above which processing starts.", panel=_SILENCE)
]
ClosesOption = Annotated[
    float, option("DB", "With `skip`: level below which it stops.", panel=_SILENCE)
]
HoldOption = Annotated[str, option("TIME", _HOLD, panel=_SILENCE)]
SwapLimitOption = Annotated[str, option("TIME", _SWAP_LIMIT)]
MonitorOption = Annotated[bool, flag("--monitor", "Add the dry input to the output.")]
TalkOption = Annotated[
    bool, flag("--push-to-talk", "Mute the input until the talk key is pressed.")
]
PlainOption = Annotated[bool, flag("--plain", _PLAIN, _DISPLAY)]
DurationOption = Annotated[str | None, option("TIME", "Stop after this time. Default: at Ctrl-C.")]
HttpOption = Annotated[str | None, option("[HOST:]PORT", _HTTP, "--http", panel=_CONTROL)]
TokenOption = Annotated[
    str | None, option("TEXT", _TOKEN, "--token", envvar="VOICEGRAPH_TOKEN", panel=_CONTROL)
]
EndReportOption = Annotated[Path | None, option("FILE", _END, "--end-report", panel=_CONTROL)]
HttpInfoOption = Annotated[Path | None, option("FILE", _INFO, "--http-info", panel=_CONTROL)]
OscOption = Annotated[
    str | None, option("[HOST:]PORT", "Receive OSC there (UDP).", "--osc", panel=_CONTROL)
]
OscOpenOption = Annotated[
    bool, flag("--osc-open", "Accept OSC from other machines; OSC has no passwords.", _CONTROL)
]
FeedbackOption = Annotated[
    str | None, option("HOST:PORT", "Send changes there as OSC.", "--osc-feedback", panel=_CONTROL)
]
LimitOption = Annotated[
    list[str] | None, option("NAME=NUMBER", _LIMIT, "--control-limit", panel=_CONTROL)
]
