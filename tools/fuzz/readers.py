"""Every reader of files that come from elsewhere, with small valid files made by the project."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cases import Reader
from .mutation import Files

# ---- model files --------------------------------------------------------------------------------


def _read_model(path: Path) -> None:
    """As ``voicegraph inspect`` and ``convert`` do, and every tensor."""
    from voicegraph.graph.files.models import identify
    from voicegraph.graph.files.models.description import describe

    found = identify(path)
    describe(found)
    if found.archive is not None:
        found.archive.read(found.archive.tensors)
    if found.kind is not None:
        found.kind.convert(path, found.archive)


def _checkpoints(zipped: bool) -> list[Files]:
    """A voice, and tensors of several types, as ``torch.save`` writes them."""
    import argparse
    from collections import OrderedDict

    import numpy as np
    import torch

    from voicegraph.nodes.synth import rvc_example

    values = torch.arange(24.0).reshape(4, 6)
    mixed = {
        "tensors": OrderedDict({"a.b": values.half(), "c": torch.arange(5), "t": values.t()}),
        "config": [1, [2, 3], 0.5],
        "args": argparse.Namespace(a=1),
        "rate": np.float64(0.5),
        "bytes": b"abc",
    }
    found: list[Files] = []
    for name, held in (("mixed.pth", mixed), ("voice.pth", rvc_example.voice(info="2epoch"))):
        made = io.BytesIO()
        torch.save(held, made, _use_new_zipfile_serialization=zipped)
        found.append({name: made.getvalue()})
    return found


def _safetensors(folder: Path) -> Sequence[Files]:
    import torch
    from safetensors.torch import save

    from voicegraph.nodes.content import hubert_example
    from voicegraph.nodes.content._phonetic_example import write as write_phonetic
    from voicegraph.nodes.synth._source_filter_example import write as write_source_filter

    hubert_example.write(folder / "hubert.safetensors")
    write_phonetic(folder / "phonetic.safetensors")
    write_source_filter(folder)
    plain = {"a": torch.arange(24.0), "b": torch.arange(3), "c": torch.zeros(0, 3)}
    whole = [*_files_of(folder), {"plain.safetensors": save(plain, {"by": "hand"})}]
    return [*whole, *map(_split, whole)]


_HEADER = "#header"
_HEADER_WORDS = (
    *(b"0", b"1", b"3", b"-1", b"1e9", b"1.5", b"4611686018427387904", b"99999999999999999999"),
    *(b"F16", b"F64", b"I64", b"U8", b"BOOL", b"F8_E4M3", b"null", b"true", b'"x"', b"[]", b"{}"),
    *(
        b"[",
        b"{",
        b"]",
        b"}",
        b",",
        b":",
        b'"',
        b"\\u0000",
        b"\\ud800",
        b"\x00",
        b"\xff",
        b"[[[[[[",
    ),
    *(b"dtype", b"shape", b"data_offsets", b"__metadata__", b"voicegraph", b"kind", b"x" * 2000),
)


def _split(files: Files) -> Files:
    """Header and values apart, so that the header keeps its length when words in it change."""
    ((name, data),) = files.items()
    end = 8 + int.from_bytes(data[:8], "little")
    return {name + _HEADER: data[8:end], name: data[end:]}


def _joined(files: Files) -> Files:
    (first, header), *rest = files.items()
    if not first.endswith(_HEADER):
        return files
    ((name, values),) = rest
    return {name: len(header).to_bytes(8, "little") + header + values}


# ---- exported networks --------------------------------------------------------------------------


def _exports(folder: Path) -> Sequence[Files]:
    """An encoder as TorchScript, and a program of torch.export of a node that is not known."""
    import warnings

    import torch

    from voicegraph.graph.export import export_network
    from voicegraph.graph.pipeline import Pipeline, node
    from voicegraph.nodes.content import hubert_example
    from voicegraph.schemas.export_card import ExportCard

    hubert_example.write(folder / "encoder.safetensors")
    encoder = node("content.hubert", "input", weights=str(folder / "encoder.safetensors"), layer=2)
    pipeline = Pipeline(
        block="200ms", input={"rate": 16000}, nodes={"content": encoder}, output="content"
    )
    export_network(pipeline.compile(), "content", folder / "encoder.ts", form="torchscript")
    card = ExportCard(title="net", use="my.node", dtype="float32").stored()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(torch.nn.Linear(3, 2), (torch.ones(1, 3),))
        torch.export.save(program, folder / "net.pt2", extra_files={"voicegraph": card})
    return [files for files in _files_of(folder) if not any(n.endswith("tensors") for n in files)]


# ---- ONNX ---------------------------------------------------------------------------------------


def _networks(folder: Path) -> Sequence[Files]:
    from voicegraph.nodes.content import _onnx_example as content
    from voicegraph.nodes.f0 import _onnx_example as f0
    from voicegraph.nodes.synth import _onnx_example as synth

    for example in (content, f0, synth):
        example.write(folder)
    return _files_of(folder)


def _read_network(path: Path) -> None:
    """As ``voicegraph inspect`` does, and all that happens before ONNX Runtime is given it."""
    from voicegraph.graph.files.models import identify
    from voicegraph.graph.files.models.description import describe
    from voicegraph.graph.files.onnx_files.load import load_onnx

    describe(identify(path))
    load_onnx(path)


# ---- indexes ------------------------------------------------------------------------------------

_INDEXES = ("IVF8,SQ8", "IVF8_HNSW4,Flat", "IVF4,PQ4x4", "OPQ4_8,IVF4,SQfp16", "IDMap,IVF4,Flat")


def _indexes(folder: Path) -> Sequence[Files]:
    import faiss
    import numpy as np

    from voicegraph.nodes.retrieval import _faiss_example as example

    faiss.omp_set_num_threads(1)
    example.write(folder)
    stored = example.vectors(300)
    for number, kind in enumerate(_INDEXES):
        index = faiss.index_factory(example.DIMENSION, kind)
        index.train(stored)
        if kind.startswith("IDMap"):
            index.add_with_ids(stored, np.arange(len(stored)) * 3)
        else:
            index.add(stored)
        faiss.write_index(index, str(folder / f"{number}.index"))
    return _files_of(folder)


def _read_index(path: Path) -> None:
    import numpy as np

    from voicegraph.nodes.retrieval.index_search import StoredIndex
    from voicegraph.nodes.retrieval.usable_index import read_usable

    found = read_usable(path)
    queries = np.random.default_rng(1).standard_normal((4, found.layout.dimension))
    StoredIndex(found, 3).search(queries.astype(np.float32), 8)


# ---- recordings and snapshots -------------------------------------------------------------------

_SPOKEN = """
block: 10ms
input: {rate: 8000}
vars: {db: -6}
nodes:
  loud: {use: dsp.gain, in: input, params: {db: $db}}
  late: {use: dsp.delay, in: loud, params: {time: 5ms}}
output: late
"""


@functools.cache
def _plan() -> Any:
    import yaml

    from voicegraph import Pipeline

    return Pipeline(**yaml.safe_load(_SPOKEN)).compile()


def _noise(samples: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).uniform(-0.5, 0.5, samples).astype(np.float32)


def _recordings(folder: Path) -> Sequence[Files]:
    with _plan().session(record=folder / "talk.jsonl") as session:
        session.push(_noise(400))
        session.set("loud.db", -3.0)
        session.push(_noise(400))
        session.reset()
        session.push(_noise(400))
        session.note(9, late_ms=3.5)
    names = ("talk.jsonl", "talk.in.wav", "talk.out.wav")
    return [{name: (folder / name).read_bytes() for name in names}]


def _read_recording(path: Path) -> None:
    """As ``voicegraph replay`` does."""
    from voicegraph.graph.files.recordings.compare import compare
    from voicegraph.graph.files.recordings.prerequisites import check_files
    from voicegraph.graph.files.recordings.reader import open_recording
    from voicegraph.graph.files.recordings.replay import plan_of

    found = open_recording(path)
    check_files(found)
    compare(plan_of(found), found)


def _snapshots(folder: Path) -> Sequence[Files]:
    with _plan().session() as session:
        session.push(_noise(400))
        session.set("loud.db", -3.0)
        session.snapshot().save(folder / "state.safetensors")
    return [*_files_of(folder), *map(_split, _files_of(folder))]


@functools.cache
def _session() -> Any:
    return _plan().session(warm_up=False)


def _read_snapshot(path: Path) -> None:
    _session().restore(path)


# ---- pipelines ----------------------------------------------------------------------------------

_PIPELINES = {
    "chain.yaml": _SPOKEN,
    "branches.yaml": """
block: 20ms
input: {rate: 16000, channels: 1}
vars:
  wet: -3   # dB
  on: true
nodes:
  to8k: {use: dsp.resample, in: input, params: {rate: 8000}}
  gate: {use: dsp.gate, in: to8k, enabled: $on}
  mix: {use: dsp.mix, in: {dry: to8k, wet: gate}, params: {gains: {dry: 0, wet: $wet}}}
  out: {use: dsp.limiter, in: mix}
profiles:
  dry: {vars.on: false}
output: out
seed: 7
on_late: fade
""",
    "extends.yaml": """
extends: world
block: 40ms
vars: {transpose: 3}
nodes:
  f0: {use: f0.harvest}
""",
}
_TOKENS = (
    *("null", "~", "true", "no", ".inf", "-.inf", ".nan", "1e400", "-0", "0x1F", "0o17", "1_000"),
    *("-1", "0", "99999999999999999999", "86400s", "1/0", "10ms", "3.5 kHz", "''", '""', '"\\x"'),
    *("[", "]", "{", "}", "{}", "[]", ":", ": ", "- ", "? ", "|\n", ">-\n", "&a", "*a", "<<: "),
    *("!!python/object/apply:os.system", "!x", "%YAML 1.1\n---\n", "---\n", "...\n", "#", "\t"),
    *("$db", "$x", "${x}", "$", "input", "output", "nodes", "vars", "in", "use", "params", "a.b"),
    *(
        "loud",
        "mix.out",
        "world",
        "default",
        "extends",
        "profiles",
        "enabled",
        "dsp.gain",
        "x" * 3000,
    ),
    *(
        "\0",
        "\r",
        "\N{LINE SEPARATOR}",
        "\N{ZERO WIDTH NO-BREAK SPACE}",
        "\\ud800",
        "é",
        "/dev/zero",
    ),
)
_WORDS = tuple(token.encode() for token in _TOKENS)


def _pipelines(_folder: Path) -> Sequence[Files]:
    return [{name: text.encode()} for name, text in _PIPELINES.items()]


def _read_pipeline(path: Path) -> None:
    from voicegraph import Pipeline

    Pipeline.load(path).compile()


_SETS = (
    *("vars.db=-3", "nodes.loud.use=dsp.limiter", "block=20ms"),
    *("nodes.late={use: dsp.gain, in: input}", "input.rate=16000", "nodes.late.enabled=false"),
    *("vars.db='-3'", "seed=3"),
)


def _sets(_folder: Path) -> Sequence[Files]:
    return [{"set.txt": text.encode()} for text in _SETS]


def _read_set(path: Path) -> None:
    """The text as an argument of the command line, which may hold any bytes."""
    from voicegraph import Pipeline

    text = path.read_bytes().decode("utf-8", "surrogateescape")
    (path.parent / "base.yaml").write_text(_SPOKEN, encoding="utf-8")
    Pipeline.load(path.parent / "base.yaml", set_args=[text]).compile()


# ---- sound --------------------------------------------------------------------------------------

_SOUNDS = (
    *(("a.wav", "PCM_16"), ("b.wav", "FLOAT"), ("c.wav", "PCM_24"), ("d.flac", "PCM_16")),
    *(("e.ogg", "VORBIS"), ("f.mp3", "MPEG_LAYER_III"), ("g.aiff", "PCM_16"), ("h.au", "PCM_16")),
    *(("i.w64", "PCM_16"), ("j.rf64", "PCM_16"), ("k.caf", "PCM_16"), ("l.wav", "MS_ADPCM")),
)


def _sounds(folder: Path) -> Sequence[Files]:
    import soundfile

    for name, subtype in _SOUNDS:
        soundfile.write(folder / name, _noise(3000), 16000, subtype)
    return _files_of(folder)


def _read_sound(path: Path) -> None:
    """As ``voicegraph run`` does; what is refused is tried with ``--salvage``, too."""
    from voicegraph.graph.errors import VoicegraphError
    from voicegraph.graph.files.sound.reader import AudioReader

    try:
        with AudioReader(path) as reader:
            for _ in reader:
                pass
    except VoicegraphError:
        with AudioReader(path, salvage=True) as reader:
            for _ in reader:
                pass


# ---- voices -------------------------------------------------------------------------------------


def _archives(_: Path) -> Sequence[Files]:
    """Zips of a voice, with a picture and what another program says of it."""
    import zipfile

    picture = b"GIF89a" + bytes((8, 0, 8, 0, 0, 0, 0))
    params = b'{"name": "Alice", "iconFile": "a.gif", "defaultTune": 12, "speakers": {"0": "a"}}'
    held = {"a/voice.pth": bytes(range(256)) * 4, "a/a.gif": picture, "a/params.json": params}
    found: list[Files] = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", method) as archive:
            for name, data in held.items():
                archive.writestr(name, data)
            archive.writestr("LICENSE.txt", b"CC BY 4.0\n" * 9)
        found.append({"voice.zip": made.getvalue()})
    return found


def _read_archive(path: Path) -> None:
    """As ``voicegraph voice add`` does before it opens a model."""
    import tempfile

    from voicegraph.app.voice_library.archive import is_archive, opened_archive, unpack
    from voicegraph.app.voice_library.companions import read_companions
    from voicegraph.app.voice_library.picture import picture_facts

    is_archive(path)
    with tempfile.TemporaryDirectory() as place, opened_archive(path) as (opened, entries):
        found = read_companions(unpack(path, opened, entries, Path(place)))
        if found.picture is not None:
            picture_facts(found.picture.read_bytes(), found.picture.name)


def _files_of(folder: Path) -> list[Files]:
    return [{path.name: path.read_bytes()} for path in sorted(folder.iterdir())]


READERS = {
    reader.name: reader
    for reader in (
        Reader("pickle", lambda _: _checkpoints(zipped=False), _read_model),
        Reader("zip", lambda _: _checkpoints(zipped=True), _read_model),
        Reader("safetensors", _safetensors, _read_model, _HEADER_WORDS, _joined),
        Reader("export", _exports, _read_model),
        Reader("onnx", _networks, _read_network),
        Reader("index", _indexes, _read_index),
        Reader("recording", _recordings, _read_recording, _WORDS),
        Reader("snapshot", _snapshots, _read_snapshot, _HEADER_WORDS, _joined),
        Reader("pipeline", _pipelines, _read_pipeline, _WORDS),
        Reader("set", _sets, _read_set, _WORDS),
        Reader("sound", _sounds, _read_sound),
        Reader("archive", _archives, _read_archive),
    )
}
"""By the name on the command line."""
