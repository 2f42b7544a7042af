"""Pickles designed to run code, to exhaust memory, or to keep a computer busy."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from voicegraph.graph.files.file_errors import FormatError
from voicegraph.graph.files.models import Inert, WeightsError, open_archive
from voicegraph.graph.files.models._unpickling import MOST_BYTES, unpickle

Zipped = Callable[..., Path]
MIB = 1 << 20


def _refused(path: Path, code: str | None = None) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        open_archive(path)
    assert str(path) in str(caught.value)
    if code:
        assert caught.value.problems[0].code == code
    return caught.value


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Bytes of memory that were in use at most since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


class _Payload:
    """What a pickle wants to be called."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("function", "args"),
    [
        (os.mkdir, ("SENTINEL",)),
        (os.system, ("mkdir SENTINEL",)),
        (subprocess.check_call, (["mkdir", "SENTINEL"],)),
        (builtins.eval, ("__import__('os').mkdir('SENTINEL')",)),
        (builtins.exec, ("import os; os.mkdir('SENTINEL')",)),
        (builtins.open, ("SENTINEL", "w")),
        (builtins.getattr, (os, "mkdir")),
        (builtins.__import__, ("os",)),
        (torch.load, ("SENTINEL",)),
        (pickle.loads, (b"cos\nmkdir\n(S'SENTINEL'\ntR.",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_calls_of_other_functions_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: Callable[..., object],
    args: tuple[object, ...],
    protocol: int,
    zipped: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    payload = _Payload(function, *(arg for arg in args if arg is not os))
    checkpoint = {"weight": {"a": torch.ones(2)}, "info": payload}
    path = tmp_path / "voice.pth"
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    error = _refused(path, "forbidden-global")
    assert f".{function.__name__}'" in str(error)
    assert "Nothing in it was run" in str(error)
    assert "do not use this file" in str(error)
    assert [entry.name for entry in tmp_path.iterdir()] == ["voice.pth"]


def _named(module: str, name: str) -> bytes:
    """STACK_GLOBAL, whose names may have dots."""
    parts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)]
    return b"\x80\x04" + b"".join(parts) + b"\x93."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch", "serialization.os.system"),
        ("torch.serialization", "os.system"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch._utils", "warnings.sys.modules"),
        ("torch", "hub"),
        ("torch.storage", "_load_from_bytes"),
        ("numpy", "testing._private.utils.runstring"),
        ("numpy.testing._private.utils", "runstring"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("fairseq", "utils.os.system"),
        ("fairseq.utils", "os.system"),
        ("fairseq .os", "system"),
        ("fairseqs", "system"),
        ("omegaconf", "sys.modules"),
        ("argparse", "_sys.modules"),
        ("argparse", "_sys"),
        ("builtins", "getattr"),
        ("__builtin__", "eval"),
        ("", ""),
        ("os", "system"),
        ("posix", "system"),
        ("nt", "system"),
        ("sys", "exit"),
        ("importlib", "import_module"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("types", "FunctionType"),
        ("webbrowser", "open"),
        ("\x1b[2Jos", "system"),
    ],
)
def test_names_off_the_allowlist_are_refused(module: str, name: str) -> None:
    with pytest.raises(FormatError) as caught:
        unpickle(io.BytesIO(_named(module, name)))
    assert caught.value.code == "forbidden-global"
    assert "\x1b" not in str(caught.value.at(Path("a.pth")))


def test_allowed_names_are_never_imported() -> None:
    """There is no such module, nor is there one of fairseq; the stand-in knows its name alone."""
    found, _ = unpickle(io.BytesIO(_named("fairseq.data.nowhere", "Thing")))
    assert isinstance(found, Inert)
    assert (found.name, found.args, found.state) == ("fairseq.data.nowhere.Thing", None, None)


def test_unused_opcodes_are_refused() -> None:
    for opcode in (b"\x82\x01", b"\x97", b"\x98", b"S'a'\n", b"P1\n", b"\xff", b"\x00"):
        with pytest.raises(FormatError):
            unpickle(io.BytesIO(b"\x80\x05" + opcode + b"."))


@pytest.mark.parametrize(
    "pickle_",
    [
        b"",
        b".",
        b"\x80",
        b"\x80\x02",
        b"\x80\x02NN.",
        b"\x80\x02(N.",
        b"\x80\x020.",
        b"\x80\x02R.",
        b"\x80\x02(e.",
        b"\x80\x02N(Na.",
        b"\x80\x02](N0(t\x85.",
        b"\x80\x02N)R.",
        b"\x80\x02K\x01K\x02\x86}b.",
        b"\x80\x02}K\x01K\x02Ne.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02}]K\x01s.",
        b"\x80\x02h\x05.",
        b"\x80\x02g99999999999999999999\n.",
        b"\x80\x02Np99999999999999999999\n.",
        b"\x80\x02Np-1\n.",
        b"\x80\x02I1x\n.",
        b"\x80\x02cargparse",
        b"\x80\x02cargparse\nNamespace",
        b"\x80\x02c\xff\xff\n\xff\n.",
        b"\x80\x02cargparse\nNamespace\n}b.",
        b"\x80\x02cargparse\nNamespace\nNR.",
        b"\x80\x02cargparse\nNamespace\n)R)R.",
        b"\x80\x02(o.",
        b"\x80\x02(NQ.",
        b"\x80\x02NQ.",
        b"\x80\x02)Q.",
        b"\x80\x02ccollections\nOrderedDict\nK\x05\x85R.",
        b"\x80\x02ccollections\nOrderedDict\n]K\x05a\x85R.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
        b"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc4\x80X\x06\x00\x00\x00latin1\x86R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\n(NNNtR.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nSize\nN)NtR.",
        b"\x80\x02ccopy_reg\n_reconstructor\n)R.",
        b"\x80\x02c__builtin__\nset\nK\x05\x85R.",
    ],
)
def test_broken_pickles_are_damaged_files(pickle_: bytes) -> None:
    with pytest.raises(FormatError):
        unpickle(io.BytesIO(pickle_))


# ---- too much of it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "opcode",
    [
        b"\x8e" + struct.pack("<Q", 1 << 62),
        b"\x8d" + struct.pack("<Q", 1 << 40),
        b"\x96" + struct.pack("<Q", (1 << 64) - 1),
        b"B" + struct.pack("<I", 0xFFFFFFFF),
        b"X" + struct.pack("<I", 0x7FFFFFFF),
        b"T" + struct.pack("<i", -1),
        b"T" + struct.pack("<i", 0x7FFFFFFF),
        b"\x8b" + struct.pack("<i", 0x7FFFFFFF),
        b"\x8b" + struct.pack("<i", -5),
        b"\x8b" + struct.pack("<i", 1000) + b"\x7f" * 1000,
        b"L" + b"9" * 4000 + b"L\n",
        b"I" + b"9" * 100_000 + b"\n",
    ],
    ids=lambda opcode: repr(opcode[:9]),
)
def test_claimed_lengths_are_checked(
    zipped: Zipped, opcode: bytes, peak: Callable[[], int]
) -> None:
    _refused(zipped(b"\x80\x04" + opcode + b"."), "damaged-file")
    assert peak() < 4 * MIB


def test_frame_lengths_are_ignored(zipped: Zipped) -> None:
    """A frame says how much follows; nothing is taken for it."""
    path = zipped(b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"}.")
    assert open_archive(path).tensors == {}


def test_billion_laughs_pickle_is_refused(zipped: Zipped, peak: Callable[[], int]) -> None:
    """Ten lists of ten references each to the one before: ten billion parts in 300 bytes."""
    levels = b"".join(
        b"(" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"lq" + bytes([i + 1]) + b"0"
        for i in range(10)
    )
    laughs = b"\x80\x02N" + b"](NNNNNNNNNNeq\x00" + b"0" + levels + b"h\x0a" + b"\x86."
    _refused(zipped(laughs), "pickle-too-large")
    assert peak() < 4 * MIB


def test_recursive_lists_are_refused(zipped: Zipped) -> None:
    _refused(zipped(b"\x80\x02]q\x00h\x00a."), "pickle-too-large")
    _refused(zipped(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), "pickle-too-large")


@pytest.mark.parametrize("opcode", [b"\x85", b"q\x00]h\x00a", b"q\x000}K\x01h\x00s"])
def test_deep_nesting_is_refused(zipped: Zipped, opcode: bytes) -> None:
    """Nested deeper than the C stack would bear."""
    _refused(zipped(b"\x80\x02K\x02" + opcode * 150_000 + b"."))


def test_nested_objects_are_refused(zipped: Zipped) -> None:
    wall = b"h\x00)R" + b"h\x01bq\x010" * 1
    pickle_ = b"\x80\x02cargparse\nNamespace\nq\x000Nq\x010" + wall * 100_000 + b"h\x01."
    assert open_archive(zipped(pickle_)).tensors == {}


@pytest.mark.parametrize("opcode", [b"\x8f", b"}", b"]", b")", b"(", b"2"])
def test_number_of_steps_is_limited(opcode: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicegraph.graph.files.models._unpickling.MOST_STEPS", 10_000)
    with pytest.raises(FormatError) as caught:
        unpickle(io.BytesIO(b"\x80\x04N" + opcode * 10_000))
    assert caught.value.code == "pickle-too-large"


@pytest.mark.parametrize(
    "made",
    [
        b"ccollections\nOrderedDict\n",
        b"c__builtin__\nset\n",
        b"ctorch\nSize\n",
    ],
)
def test_copies_count_as_steps(made: bytes) -> None:
    """A call that copies 100,000 items is not one step."""
    items = b"](" + b"K\x01K\x02\x86" * 100_000 + b"eq\x000" + made + b"q\x010"
    copies = b"h\x01h\x00\x85R0" * 40
    with pytest.raises(FormatError) as caught:
        unpickle(io.BytesIO(b"\x80\x02" + items + copies + b"N."))
    assert caught.value.code == "pickle-too-large"


def test_encoded_copies_count_as_steps() -> None:
    text = b"X" + struct.pack("<I", MIB) + b"a" * MIB + b"q\x000X\x06\x00\x00\x00latin1q\x010"
    copies = b"c_codecs\nencode\nh\x00h\x01\x86R0" * 100
    with pytest.raises(FormatError) as caught:
        unpickle(io.BytesIO(b"\x80\x02" + text + copies + b"N."))
    assert caught.value.code == "pickle-too-large"


@pytest.mark.parametrize(
    "key", [b"K\x01\x85", b"\x8a\x08" + struct.pack("<q", (1 << 61) - 1), b"]", b"}"]
)
def test_keys_that_collide_are_refused(key: bytes) -> None:
    """Dictionaries of such keys could be made to take a day to fill."""
    with pytest.raises(FormatError, match="as the key"):
        unpickle(io.BytesIO(b"\x80\x02}" + key + b"Ns."))


def test_growing_names_are_refused(zipped: Zipped) -> None:
    """A long key that stands above many tensors would make long names of them all."""
    key = b"X" + struct.pack("<I", 100_000) + b"k" * 100_000 + b"q\x00"
    inner = b"}(" + b"".join(b"M" + struct.pack("<H", i) + b"}" for i in range(5000)) + b"u"
    _refused(zipped(b"\x80\x02}" + key + inner + b"s."), "pickle-too-large")


def test_large_pickle_is_refused(zipped: Zipped) -> None:
    path = zipped(b"\x80\x02X" + struct.pack("<I", MOST_BYTES) + bytes(MOST_BYTES) + b".")
    assert "more than in any model" in str(_refused(path, "damaged-file"))


def test_large_pickle_in_the_legacy_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    head = path.read_bytes()
    head = head[: head.index(b"}q")]  # magic number and protocol
    path.write_bytes(head + b"\x80\x02X" + struct.pack("<I", MOST_BYTES) + bytes(MOST_BYTES + 99))
    _refused(path, "damaged-file")


def test_invalid_storages_are_refused(zipped: Zipped, opcodes: Any) -> None:
    for entry in (
        b"(X\x07\x00\x00\x00storagecargparse\nNamespace\nX\x01\x00\x00\x000NK\x04tQ",
        b"(X\x07\x00\x00\x00storagectorch\nfloat32\nX\x01\x00\x00\x000NK\x04tQ",
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000NJ\xff\xff\xff\xfftQ",
        b"(X\x06\x00\x00\x00modulectorch\nFloatStorage\nX\x01\x00\x00\x000NK\x04tQ",
        opcodes.storage(4) + b"0" + opcodes.storage(5),
        opcodes.storage(4) + b"0" + opcodes.storage(4, kind=b"ctorch\nIntStorage\n"),
    ):
        _refused(zipped(b"\x80\x02" + entry + b".", {"0": bytes(16)}), "damaged-file")
