"""What is known about a stored result: the JSON file beside it, which is written last."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """Facts about a result. None of them is part of the result.

    Attributes:
        sha256: of its bytes, hexadecimal.
        size: of its bytes.
        kind: what task made it.
        label: of that task.
        seconds: computing time.
        host: machine that computed it.
        versions: of packages, by name.
        time: when it was written, ISO 8601 in UTC.
    """

    sha256: str
    size: int
    kind: str = ""
    label: str = ""
    seconds: float = 0.0
    host: str = field(default_factory=socket.gethostname)
    versions: Mapping[str, str] = field(default_factory=dict)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def as_json(self) -> str:
        """The text of the file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The record of a file's text; keys of later versions are left out.

        Raises:
            ValueError: if it is none.
        """
        found: Any = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("not a record")
        known = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
        if not isinstance(known.get("sha256"), str) or not isinstance(known.get("size"), int):
            raise ValueError("a record without sha256 or size")
        return cls(**known)
