"""Whatever bytes a file holds, reading it ends with samples or with a message."""

from __future__ import annotations

import io
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound.folder_contents import content_of
from voicegraph.graph.files.sound.reader import AudioReader

CONTAINERS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3")
EXTREMES = st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\1\0\0\0", b"RIFF"])


@cache
def _encoded(container: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(3000) * 0.05), 16000, format=container)
    return file.getvalue()


@given(
    container=st.sampled_from(CONTAINERS),
    changes=st.lists(st.tuples(st.integers(0, 120), EXTREMES | st.binary(max_size=9)), max_size=4),
    length=st.floats(0, 1) | st.just(1.0),
    salvage=st.booleans(),
)
def test_damaged_file_is_read_or_refused(
    container: str, changes: list[tuple[int, bytes]], length: float, salvage: bool
) -> None:
    data = bytearray(_encoded(container))
    for at, piece in changes:
        data[at : at + len(piece)] = piece
    del data[int(length * len(data)) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        content_of(path)
        with suppress(InputError), AudioReader(path, salvage=salvage) as reader:
            assert sum(chunk.shape[1] for chunk in reader) == reader.taken > 0
