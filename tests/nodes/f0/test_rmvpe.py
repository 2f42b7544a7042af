"""``f0.rmvpe``: the reference's numbers, where frames land, files that are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError, WeightsError
from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.node import Node, NodeParams
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Pitch
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._rmvpe_example import SIZES, write
from voicegraph.nodes.f0._rmvpe_network import Sizes
from voicegraph.nodes.f0.rmvpe import Rmvpe, RmvpeParams

from ...tolerance import (
    EXPORTED,
    FULL_NETWORK,
    TENTH_OF_A_CENT,
    Tolerance,
    assert_close,
    assert_rounded,
    rounding,
)
from ..exported import exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("f0.rmvpe", slow=("growth",))

SPECTRUM = rounding(100)
"""Magnitudes: an FFT of 1,024 samples and the sums of its bins in a mel band."""
LOUD_BANDS = Tolerance(
    "what rounding of the spectrum is 60 dB below its peak", 1e3 * SPECTRUM.of_peak
)
"""Of the natural logarithm, whose slope is 1 / magnitude."""

ROUNDINGS = 100
"""In a row: eleven blocks of two convolutions, norms, activations and a sum, and the GRU."""
DATA = Path(__file__).parents[2] / "data" / "reference"
RATE = 16000


class LookBack(Node):
    """Asks for 600 ms of pitch, as a synthesizer does."""

    class Params(NodeParams):
        pass

    chunking = "windowed"
    pure = True
    pitch = In(Pitch)
    out = Out(Pitch, like="pitch", window=True)

    def needs(self, params, out):
        return {"pitch": out.widen(before=Fraction(6, 10))}

    def gives(self, params, out):
        return out.interval.widen(before=Fraction(6, 10))

    def process(self, inputs, params, state):
        return {"out": inputs["pitch"]}


@pytest.fixture(autouse=True, scope="module")
def _test_nodes() -> Iterator[None]:
    with registry.isolated({"test.rmvpe_look_back": LookBack}):
        yield


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write(tmp_path / "rmvpe.pt")
    return tmp_path / "rmvpe.pt"


def _params(**given) -> RmvpeParams:
    return RmvpeParams.model_validate(given)


def _loaded(
    weights: Path, dtype: torch.dtype = torch.float32, **params
) -> tuple[Rmvpe, RmvpeParams]:
    made = Rmvpe()
    chosen = _params(weights=weights, **params)
    made.dtype = dtype
    made.load(chosen, torch.device("cpu"), dtype)
    return made, chosen


def _pipeline(weights: Path | None, block: str = "250ms", **params) -> Pipeline:
    given = {} if weights is None else {"weights": str(weights)}
    return Pipeline(
        block=block,
        input={"rate": RATE, "channels": 1},
        nodes={
            "f0": node("f0.rmvpe", "input", **given, **params),
            "pitch": node("pitch.cache", "f0"),
            "back": node("test.rmvpe_look_back", "pitch"),
        },
        output="back",
    )


def _noise(samples: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32) * 0.1


# ---- numbers ------------------------------------------------------------------------------------


def test_matches_the_reference_at_full_size(filled, tmp_path: Path) -> None:
    """Through a real file and the loader, with the normalisations folded."""
    shapes = json.loads((DATA / "rmvpe.keys.json").read_text())
    torch.save(filled({name: tuple(shape) for name, shape in shapes.items()}), tmp_path / "full.pt")
    recorded = np.load(DATA / "rmvpe.npz")
    made, _ = _loaded(tmp_path / "full.pt")
    with torch.inference_mode():
        mel = made.mel(torch.from_numpy(recorded["audio_16k"])[None])[0].numpy()
        # From the recorded spectrum: what the logarithm makes of rounding in its floor is no matter
        # of the network.
        salience = made.network(torch.from_numpy(recorded["mel"])[None])
    # Rounding in an FFT is a share of the loudest bins, which the logarithm blows up in quiet ones.
    expected = np.exp(recorded["mel"])
    assert_close(np.exp(mel), expected, SPECTRUM)
    loud = expected > 1e-3 * expected.max()
    assert loud.mean() > 0.1
    assert_close(mel[loud], recorded["mel"][loud], LOUD_BANDS)
    assert_close(salience[0], recorded["salience"], FULL_NETWORK)


def test_decodes_as_the_reference() -> None:
    recorded = np.load(DATA / "rmvpe.npz")
    found = salience_bins.decode(
        torch.from_numpy(recorded["peaked"]), salience_bins.crepe_cents(), 0.03
    )
    assert (recorded["f0"] == 0).any()
    assert_close(found.numpy(), recorded["f0"], TENTH_OF_A_CENT)


def _reference_cache(made: Rmvpe, params, audio: np.ndarray, block: int, ticks: int) -> np.ndarray:
    """The cache of RVC's real-time path, as its facts are: the newest 62 frames or so, per tick."""
    size = 5120 * ((block + 800 - 1) // 5120 + 1) - 160
    cache = np.zeros(1024)
    rows = []
    for tick in range(1, ticks + 1):
        heard = np.concatenate([np.zeros(size, np.float32), audio[: tick * block]])[-size:]
        with torch.inference_mode():
            f0 = made.estimate_all(params, torch.from_numpy(heard)[None])[0].numpy()
        assert len(f0) % 32 == 0
        shift = block // 160
        cache[:-shift] = cache[shift:].copy()
        cache[4 - len(f0) :] = f0[3:-1]
        rows.append(cache[-(shift + 60) :].copy())
    return np.array(rows)


@pytest.mark.parametrize("milliseconds", [100, 160, 250, 260, 280, 400])
def test_lands_in_the_cache_as_in_the_reference(weights: Path, milliseconds: int) -> None:
    audio = _noise(milliseconds * 16 * 5)
    made, params = _loaded(weights, threshold=0.0)
    expected = _reference_cache(made, params, audio, milliseconds * 16, 5)
    found = []
    plan = _pipeline(weights, f"{milliseconds}ms", threshold=0.0)
    with plan.session(warm_up=False) as session:
        for block in audio.reshape(5, -1):
            session.process(block, taps=["back"])
            found.append(session.taps["back"][0])
    assert_close(np.array(found), expected, TENTH_OF_A_CENT)


@pytest.mark.parametrize(
    ("asked", "used", "samples"),
    [(3360, 2880, 4960), (4800, 4320, 4960), (5120, 4640, 4960), (5120, 5120, 10080)],
)
def test_spans_are_rounded_as_in_the_reference(asked: int, used: int, samples: int) -> None:
    """5120 n - 160 samples, n counted on what is asked, if only it covers what is used."""
    end = Fraction(-1, 100)
    out = Request(
        Interval(end - Fraction(asked, RATE), end), Interval(end - Fraction(used, RATE), end)
    )
    given = Rmvpe().gives(_params(), out)
    assert given.end == end
    assert given.duration * RATE == samples
    context = Rmvpe().gives(_params(context="100ms"), out)
    assert (context.duration * RATE + 1600) % 5120 == 5120 - 160
    assert context.covers(out.core)


# ---- params -------------------------------------------------------------------------------------


def test_voicing_is_told_apart_from_what_is_filled(weights: Path) -> None:
    made, _ = _loaded(weights, fill=False)
    audio = torch.from_numpy(_noise(4960))[None]
    with torch.inference_mode():
        salience = made.network(made.mel(audio)).max(-1).values[0]
    middle = float(salience.median())
    with _pipeline(weights, threshold=middle).session(warm_up=False) as session:
        session.process(_noise(4000), taps=["f0.pitch", "f0.voiced"])
        pitch, voiced = session.taps["f0.pitch"], session.taps["f0.voiced"]
    assert 0 < voiced.mean() < 1
    assert (pitch > 0).all()


def test_range_is_looked_in_alone(weights: Path) -> None:
    made, params = _loaded(weights, floor=100.0, ceiling=200.0, threshold=0.0)
    with torch.inference_mode():
        found = made.estimate_all(params, torch.from_numpy(_noise(4960))[None])
    assert found.shape == (1, 32)
    assert 100 <= found.min() <= found.max() <= 200


def test_everything_is_looked_for_by_default() -> None:
    params = _params()
    assert salience_bins.bins_in_range(
        salience_bins.crepe_cents(), params.floor, params.ceiling
    ).all()


def test_a_range_without_any_bin(weights: Path) -> None:
    with pytest.raises(PipelineError, match="no pitch that the network knows lies from 300 to 301"):
        _pipeline(weights, floor=300.0, ceiling=301.0).compile()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_near(weights: Path, dtype: str) -> None:
    half = getattr(torch, dtype)
    audio = torch.from_numpy(_noise(4960))[None]
    exact, _ = _loaded(weights)
    rough, _ = _loaded(weights, half)
    with torch.inference_mode():
        expected = exact.network(exact.mel(audio))
        found = rough.network(rough.mel(audio).to(half))
    assert found.dtype is half
    assert_rounded(found, expected, half, ROUNDINGS, slope=1 / 4)
    params = {"weights": str(weights), "threshold": 0.0}
    nodes = {"f0": {"use": "f0.rmvpe", "in": "input", "dtype": dtype, "params": params}}
    keys = {"block": "250ms", "input": {"rate": RATE, "channels": 1}, "output": "f0"}
    with Pipeline(nodes=nodes, **keys).session(warm_up=False) as session:
        assert session.process(_noise(4000)).dtype == np.float32


def test_one_network_a_process(weights: Path) -> None:
    plan = _pipeline(weights).compile()
    other = _pipeline(weights, threshold=0.5).compile()
    with plan.session(warm_up=False), other.session(warm_up=False):
        one, two = (vars(p.find("f0").node)["network"] for p in (plan, other))
    assert one is two


# ---- files --------------------------------------------------------------------------------------


def test_without_weights() -> None:
    with pytest.raises(PipelineError, match="needs the weights of RMVPE") as caught:
        _pipeline(None).compile()
    assert caught.value.problems[0].fix == "--set assets.rmvpe=PATH"


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none\.pt: there is no such file"):
        _pipeline(tmp_path / "none.pt").compile()


def test_another_network(tmp_path: Path) -> None:
    torch.save({"weight": {"emb_g.weight": torch.zeros(1, 256)}}, tmp_path / "voice.pth")
    with pytest.raises(PipelineError, match=r"voice\.pth is .* an RMVPE pitch model is expected"):
        _pipeline(tmp_path / "voice.pth").compile()


@pytest.mark.parametrize(
    ("content", "said"), [(b"RIFF0000WAVEfmt ", "a WAV file"), (b"", "an empty file")]
)
def test_what_holds_no_tensors(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "voice.wav").write_bytes(content)
    with pytest.raises(PipelineError, match=said) as caught:
        _pipeline(tmp_path / "voice.wav").compile()
    assert "an RMVPE pitch model is expected" in str(caught.value)


def test_a_tensor_too_few(weights: Path) -> None:
    tensors = torch.load(weights, weights_only=True)
    del tensors["unet.decoder.layers.0.conv1.0.weight"]
    torch.save(tensors, weights)
    with pytest.raises(WeightsError, match=r"missing: unet\.decoder\.layers\.0\.conv1\.0\.weight"):
        _pipeline(weights).session(warm_up=False)


def test_values_that_are_no_numbers(weights: Path) -> None:
    tensors = torch.load(weights, weights_only=True)
    tensors["cnn.bias"][0] = torch.nan
    torch.save(tensors, weights)
    with pytest.raises(WeightsError, match=r"cnn\.bias"):
        _pipeline(weights).session(warm_up=False)


def test_sizes_are_read_off_the_file(weights: Path, tmp_path: Path) -> None:
    """A file of any size runs, and gives as many frames."""
    from dataclasses import replace

    write(
        tmp_path / "other.pt",
        replace(SIZES, layers=2, channels=3, cnn_channels=2, hidden=5, depth=2),
    )
    for file in (weights, tmp_path / "other.pt"):
        made, params = _loaded(file, threshold=0.0)
        with torch.inference_mode():
            assert made.estimate_all(params, torch.from_numpy(_noise(4960))[None]).shape == (1, 32)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_cuda_agrees(weights: Path, dtype: str) -> None:
    found = {}
    for device in ("cpu", "cuda"):
        params = {"weights": str(weights), "threshold": 0.0}
        placed = {"device": device, "dtype": dtype, "params": params}
        nodes = {"f0": {"use": "f0.rmvpe", "in": "input", **placed}}
        keys = {"block": "250ms", "input": {"rate": RATE, "channels": 1}, "output": "f0"}
        with Pipeline(nodes=nodes, **keys).session(warm_up=False) as session:
            found[device] = session.process(_noise(4000))
    assert np.median(np.abs(np.log2(found["cuda"] / found["cpu"]))) < 0.01


def test_export_goes_from_audio_to_the_node_s_pitch(tmp_path: Path) -> None:
    write(tmp_path / "rmvpe.pt", Sizes(1, 3, 1, 2, 1, 4))
    estimator = node("f0.rmvpe", "input", weights=str(tmp_path / "rmvpe.pt"), floor=80.0)
    pipeline = Pipeline(block="400ms", input={"rate": RATE}, nodes={"f0": estimator}, output="f0")
    network = exported(pipeline.compile(), "f0")
    for case in range(4):
        given = network.example(case)
        with torch.no_grad():
            pitch, salience = network.module(*given.values())
        expected = network.reference(given)
        assert_close(salience, expected["salience"], EXPORTED)
        assert_close(pitch, expected["pitchf"], TENTH_OF_A_CENT)
        assert pitch.shape == (1, given["waveform"].shape[1] // 160 + 1)
