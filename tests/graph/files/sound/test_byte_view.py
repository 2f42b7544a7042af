"""A view of a file reads as the bytes that it is made of."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from voicegraph.graph.files.sound._byte_view import ByteView

CONTENT = bytes(range(200))


@example(head=bytes(40), start=3, length=100, moves=[(0, 0, 12), (0, 1, 90)])
@given(
    head=st.binary(max_size=40),
    start=st.integers(0, 200),
    length=st.integers(0, 200),
    moves=st.lists(st.tuples(st.integers(-60, 260), st.integers(0, 2), st.integers(0, 90))),
)
def test_view_reads_and_seeks_like_bytes(
    head: bytes, start: int, length: int, moves: list[tuple[int, int, int]]
) -> None:
    end = min(start + length, len(CONTENT))
    expected = io.BytesIO(head + CONTENT[start:end])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(CONTENT)
        with ByteView(path, head, start, end) as view:
            for offset, whence, count in moves:
                size = len(expected.getvalue())
                origin = (0, expected.tell(), size)[whence]
                expected.seek(max(0, origin + offset))
                assert view.seek(offset, whence) == expected.tell() == view.tell()
                assert view.read(count) == expected.read(count)


def test_interrupt_is_kept_for_the_reader(tmp_path: Path) -> None:
    """An exception cannot pass through the decoder."""
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    with ByteView(path, b"", 0, 200) as view:
        view._file = _Interrupted(view._file)  # pyright: ignore[reportAttributeAccessIssue]
        assert view.read(5) == CONTENT[:5]
        assert view.interrupted


class _Interrupted:
    """Raises once."""

    def __init__(self, file: io.FileIO) -> None:
        self.raised = False
        self.file = file

    def seek(self, at: int) -> None:
        self.file.seek(at)

    def read(self, count: int) -> bytes:
        if not self.raised:
            self.raised = True
            raise KeyboardInterrupt
        return self.file.read(count)

    def close(self) -> None:
        self.file.close()
