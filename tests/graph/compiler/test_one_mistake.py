"""One mistake makes one message, whatever else in the pipeline depends on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.pipeline import Pipeline

BASE = """\
version: 1
description: text
block: 10ms
vars:
  low: 60
  cross: 40ms
  shift: 3
  rate: 48000
  narrow: 16000
  cutoff: 100
  gated: true
  share: 0.5
  index: null
  device: cpu
  dtype: float32
  voice: null
  source: to16k
  wet: 1
assets: {rmvpe: null, other: model.pt}
input: {rate: $rate, channels: 1}
threads: 1
seed: 3
nodes:
  gate: {use: dsp.gate, in: input, enabled: $gated, device: $device, dtype: $dtype}
  to16k: {use: dsp.resample, in: gate, params: {rate: $narrow}}
  rumble: {use: dsp.highpass, in: to16k, params: {cutoff: $cutoff}}
  f0: {use: f0.harvest, in: rumble, params: {floor: $low, ceiling: 800}}
  track: {use: pitch.cache, in: {pitch: f0, voiced: f0.voiced}, params: {look: 100ms}}
  register: {use: pitch.register, in: track, enabled: $voice, params: {voice: $voice}}
  pitch: {use: pitch.cache, in: {pitch: f0, voiced: f0.voiced}, params: {transpose: $shift}}
  analyze: {use: world.analyze, in: {audio: gate, pitch: track}}
  voice:
    use: world.synthesize
    in: {pitch: pitch, envelope: analyze.envelope, aperiodicity: analyze.aperiodicity}
    params: {rate: $rate}
  sola: {use: dsp.sola, in: voice, params: {crossfade: $cross, search: 10ms}}
  quiet: {use: dsp.gain, in: sola, params: {db: -3}, device: $device, dtype: $dtype}
  limiter: {use: dsp.limiter, in: quiet}
output: limiter
profiles:
  deep: {vars.shift: -5}
"""

MISTAKES = {
    "version": [("version: 1", "version: 2"), ("version: 1", "version: '1'")],
    "block": [
        ("block: 10ms", "block: 10"),
        ("block: 10ms", "block: -10ms"),
        ("block: 10ms", "block: $missing"),
        ("block: 10ms", "block: 10.01ms"),
        ("block: 10ms\n", ""),
        ("block: 10ms", "blok: 10ms"),
        ("block: 10ms", "block: [10ms]"),
    ],
    "vars that have no value": [
        (f"  {name}: {value}\n", f"  {name}: {wrong}\n")
        for name, value in [
            ("low", 60), ("cross", "40ms"), ("shift", 3), ("rate", 48000), ("narrow", 16000),
            ("cutoff", 100), ("gated", "true"), ("device", "cpu"), ("dtype", "float32"),
            ("voice", "null"),
        ]
        for wrong in ("required", "[1]", "{a: 1}", "$low", "a$b")
    ],
    "vars of wrong values": [
        (f"  {name}: {value}\n", f"  {name}: {wrong}\n")
        for name, value, wrongs in [
            ("low", 60, ("text", -1, "true", "null", "1e9")),
            ("cross", "40ms", (40, "-40ms", "null", "text")),
            ("shift", 3, (99, "text", "null")),
            ("rate", 48000, (0, -1, "text", "null", "true", 1e300)),
            ("narrow", 16000, (0, "text", "null")),
            ("cutoff", 100, (-1, "text", "null")),
            ("gated", "true", ("off", "no")),
            ("device", "cpu", ("gpu", "null", 1, "cuda")),
            ("dtype", "float32", ("float64", "null", 16, "float16")),
            ("voice", "null", ("none.safetensors", 5, "no")),
        ]
        for wrong in wrongs
    ],
    "vars by name": [
        ("  low: 60\n", ""),
        ("  low: 60\n", "  lo: 60\n"),
        ("  low: 60\n", "  Low: 60\n  low: 60\n"),
        ("  rate: 48000\n", ""),
        ("  device: cpu\n", ""),
        ("  gated: true\n", ""),
        ("floor: $low", "floor: $lwo"),
        ("floor: $low", "floor: 5$low"),
        ("floor: $low", "floor: ${low"),
        ("enabled: $gated", "enabled: $gatd"),
        ("in: gate, params: {rate: $narrow}", "in: $nothing, params: {rate: $narrow}"),
        ("output: limiter", "output: $nothing"),
        ("rate: $rate, channels: 1", "rate: $nothing, channels: 1"),
    ],
    "nodes": [
        ("use: dsp.gate", "use: dsp.gat"),
        ("use: f0.harvest", "use: f0.pm"),
        ("use: f0.harvest", "use: harvest"),
        ("use: f0.harvest, ", ""),
        ("use: pitch.cache, in: {pitch: f0, voiced: f0.voiced}, params: {look",
         "use: pitch.cach, in: {pitch: f0, voiced: f0.voiced}, params: {look"),
        ("use: world.analyze", "use: world.analyse"),
        ("    use: world.synthesize", "    use: world.synth"),
        ("  sola: {", "  Sola: {"),
        ("  to16k: {", "  input: {use: dsp.gain, in: gate}\n  to16k: {"),
        ("  to16k: {", "  TO16K: {"),
        ("  f0: {use", "  f0: 5  # {use"),
        ("  f0: {use", "  f0: null  # {use"),
        ("enabled: $gated", "enabled: off"),
        ("enabled: $gated", "enable: true"),
        ("enabled: $gated", "enabled: [true]"),
        ("device: $device, dtype: $dtype}\n  to16k", "device: tpu}\n  to16k"),
        ("device: $device, dtype: $dtype}\n  to16k", "device: cuda}\n  to16k"),
        ("device: $device, dtype: $dtype}\n  to16k", "dtype: float16}\n  to16k"),
        ("device: $device, dtype: $dtype}\n  to16k", "fallback: cuda}\n  to16k"),
    ],
    "params": [
        ("floor: $low", "flor: $low"),
        ("floor: $low", "floor: low"),
        ("floor: $low", "floor: -5"),
        ("floor: $low", "floor: [$low]"),
        ("{rate: $narrow}", "{}"),
        ("{rate: $narrow}", "{rate: fast}"),
        ("{rate: $narrow}", "[$narrow]"),
        ("{rate: $narrow}", "5"),
        ("{look: 100ms}", "{look: 100}"),
        ("ceiling: 800", "ceiling: 30"),
        ("{rate: $rate}\n", "{rate: 48000.5}\n"),
        ("{voice: $voice}", "{voice: 5}"),
        ("enabled: $voice, params: {voice: $voice}", "params: {voice: none.safetensors}"),
        ("search: 10ms", "search: -10ms"),
    ],
    "edges": [
        ("in: rumble", "in: rumbel"),
        ("in: rumble", "in: rumble.oudio"),
        ("in: rumble", "in: [rumble]"),
        ("in: rumble", "in: {audoi: rumble}"),
        ("in: rumble", "in: {zzz: rumble}"),
        ("in: rumble, ", ""),
        ("in: rumble", "in: {}"),
        ("in: rumble", "in: {audio: rumble, extra: rumble}"),
        ("in: rumble", "in: input"),
        ("in: rumble", "in: f0"),
        ("in: rumble", "in: analyze"),
        ("in: rumble", "in: 5"),
        ("in: sola", "in: voice"),
        ("in: {audio: gate, pitch: track}", "in: {audio: gate}"),
        ("in: {audio: gate, pitch: track}", "in: {audio: gate, pitch: gate}"),
        ("in: {audio: gate, pitch: track}", "in: {audio: to16k, pitch: track}"),
        ("in: {audio: gate, pitch: track}", "in: gate"),
        ("voiced: f0.voiced}, params: {look", "voiced: f0.voicd}, params: {look"),
        ("voiced: f0.voiced}, params: {look", "voiced: f.voiced}, params: {look"),
        ("aperiodicity: analyze.aperiodicity", "aperiodicity: analyze.aperiodicty"),
        ("aperiodicity: analyze.aperiodicity", "aperiodcity: analyze.aperiodicity"),
        ("aperiodicity: analyze.aperiodicity", "aperiodicity: analyse.aperiodicity"),
        (", aperiodicity: analyze.aperiodicity", ""),
        ("in: gate, params: {rate: $narrow}", "in: rumble, params: {rate: $narrow}"),
    ],
    "output": [
        ("output: limiter", "output: limitr"),
        ("output: limiter", "output: limiter.zzz"),
        ("output: limiter", "output: [limiter]"),
        ("output: limiter", "output: voice"),
        ("output: limiter\n", ""),
        ("output: limiter", "outptu: limiter"),
        ("output: limiter", "output: null"),
    ],
    "the rest": [
        ("threads: 1", "threads: 0"),
        ("threads: 1", "threads: many"),
        ("seed: 3", "seed: -3"),
        ("seed: 3", "on_nan: stop"),
        ("input: {rate: $rate, channels: 1}", "input: {rate: $rate, channels: 0}"),
        ("input: {rate: $rate, channels: 1}", "input: {rate: $rate, chanels: 1}"),
        ("input: {rate: $rate, channels: 1}", "input: 48000"),
        ("  deep: {vars.shift: -5}", "  deep: 5"),
        ("  deep: {vars.shift: -5}", "  deep: [vars.shift]"),
        ("profiles:\n  deep: {vars.shift: -5}\n", "profiles: 5\n"),
        ("assets: {rmvpe: null, other: model.pt}", "assets: {rmvpe: null, other: required}"),
        ("assets: {rmvpe: null, other: model.pt}", "assets: {rmvpe: null, other: 5}"),
        ("assets: {rmvpe: null, other: model.pt}", "assets: {rmvpe: null, other: $voic}"),
        ("assets: {rmvpe: null, other: model.pt}", "assets: [model.pt]"),
        ("use: f0.harvest, in: rumble, params: {floor: $low, ceiling: 800}",
         "use: f0.rmvpe, in: rumble"),
        ("description: text", "description: 5"),
    ],
}  # fmt: skip
CASES = [(kind, i, *pair) for kind, pairs in MISTAKES.items() for i, pair in enumerate(pairs)]


def problems_of(text: str, folder: Path, **how: object) -> list[str]:
    (folder / "p.yaml").write_text(text)
    with pytest.raises(VoicegraphError) as caught:
        Pipeline.load(folder / "p.yaml", **how).compile()  # pyright: ignore[reportArgumentType]
    return [str(problem) for problem in caught.value.problems]


def test_base_is_right(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(BASE)
    Pipeline.load(tmp_path / "p.yaml").compile()


VOICE = """\
block: 100ms
vars: {voice: required, index: null, index_rate: 0.5, device: cpu, rate: null}
assets: {hubert: required, rmvpe: null}
nodes:
  to16k: {use: dsp.resample, in: input, params: {rate: 16000}}
  content: {use: content.hubert, in: to16k, device: $device, params: {voice: $voice}}
  retrieval:
    use: retrieval.faiss
    in: content
    enabled: $index
    params: {index: $index, rate: $index_rate}
  f0: {use: f0.harvest, in: to16k}
  pitch: {use: pitch.cache, in: {pitch: f0, voiced: f0.voiced}}
  voice: {use: synth.rvc, in: {content: retrieval, pitch: pitch}, params: {checkpoint: $voice}}
  sola: {use: dsp.sola, in: voice}
  out: {use: dsp.resample, in: sola, enabled: $rate, params: {rate: $rate}}
output: out
"""


@pytest.mark.parametrize(
    ("sets", "codes"),
    [
        ([], ["unset-asset", "unset-var"]),
        (["vars.index_rate=75"], ["out-of-range", "unset-asset", "unset-var"]),
        (["vars.index=5"], ["unset-asset", "unset-var", "wrong-type"]),
        (["vars.device=gpu"], ["unset-asset", "unset-var", "wrong-value"]),
        (["nodes.f0.use=f0.pm"], ["unknown-node", "unset-asset", "unset-var"]),
        (["nodes.f0.use=f0.rmvpe"], ["missing-weights", "unset-asset", "unset-var"]),
        (["vars.voice=none.pth", "assets.hubert=none.pt"], ["no-such-file"]),
        (["vars.rate=-5", "nodes.to16k.in=inptu"],
         ["no-such-node", "unset-asset", "unset-var", "wrong-value"]),
        (["nodes.retrieval.enabled=false", "nodes.retrieval.params.index=none.index"],
         ["unset-asset", "unset-var"]),
    ],
)  # fmt: skip
def test_every_mistake_makes_one_message(sets: list[str], codes: list[str], tmp_path: Path) -> None:
    """What is required and missing is one mistake each, beside others that have nothing to do."""
    (tmp_path / "p.yaml").write_text(VOICE)
    with pytest.raises(VoicegraphError) as caught:
        Pipeline.load(tmp_path / "p.yaml", set_args=sets).compile()
    found = [problem.code for problem in caught.value.problems]
    assert sorted(found) == sorted(codes), str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"), [case[2:] for case in CASES], ids=[f"{kind}-{i}" for kind, i, *_ in CASES]
)
def test_one_mistake_makes_one_message(old: str, new: str, tmp_path: Path) -> None:
    assert BASE.count(old) == 1, old
    found = problems_of(BASE.replace(old, new), tmp_path)
    assert len(found) == 1, f"{new}\n" + "\n".join(found)
