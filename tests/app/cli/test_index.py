"""``voicegraph index``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
import soundfile

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.schemas.index_report import (
    IndexCompressed,
    IndexInspections,
    IndexMade,
    IndexSuggestions,
)

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def features(place: Path) -> None:
    """``features.npy``: 1,200 vectors in clumps."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((40, 16))
    vectors = centres[random.integers(0, 40, 1200)] + 0.4 * random.standard_normal((1200, 16))
    np.save(place / "features.npy", vectors.astype(np.float32))


@pytest.fixture
def made(cli: Cli) -> str:
    """An index of them."""
    assert cli("index", "make", "features.npy", "a.index")[0] == 0
    return "a.index"


def test_make_inspect_and_compress(cli: Cli) -> None:
    code, out, _ = cli("index", "make", "features.npy", "a.index")
    assert code == 0
    assert out.startswith("wrote a.index, 0.1 MB\n  from     1200 frames of 1 file\n")
    assert "30, of which a search visits 1" in out
    code, out, _ = cli("index", "inspect", "a.index")
    assert code == 0
    assert re.search(r"^source +1 +0\.09 +0\.\d{3}", out, re.MULTILINE)
    assert "--set vars.index_probes=" in out.replace("\n", "")
    line = ("index", "compress", "a.index", "b.index", "--to", "sq8", "--nprobe", "16")
    code, out, _ = cli(*line, "--within", "blend<=.02")
    assert code == 0
    assert re.search(r"^sq8 +16 +0\.0\d +", out, re.MULTILINE)
    assert "blend<=.02 holds: 0.0" in out
    assert re.search(r"wrote b\.index: \d+% of the size", out)
    assert faiss.extract_index_ivf(faiss.read_index("b.index")).nprobe == 16


def test_missed_conditions_write_nothing(cli: Cli, made: str) -> None:
    line = ("index", "compress", made, "b.index", "--to", "sq4")
    code, out, _ = cli(*line, "--within", "blend<=1e-6")
    assert code == 9
    assert "b.index was not written, since not all conditions hold" in out
    code, out, _ = cli(*line, "--within", "snr>=30")
    assert code == 3
    assert "snr>=30 not judged: it is about the sound" in out
    assert not Path("b.index").exists()


def test_the_suggested_command_works(cli: Cli, made: str) -> None:
    line = ("index", "compress", made, "--suggest", "--to", "sq8", "--to", "pq:8")
    code, out, _ = cli(*line, "--within", "blend<=.03", "--picture", "tried.png")
    assert code == 0
    assert Path("tried.png").stat().st_size > 0
    typed = next(text for text in out.splitlines() if text.startswith("  voicegraph "))
    assert cli(*shlex.split(typed)[1:])[0] == 0
    code, out, _ = cli(*line, "--within", "size<=1e-6")
    assert code == 9
    assert "none fulfils size<=1e-6" in out


def test_reports_are_json(cli: Cli) -> None:
    code, out, _ = cli("index", "make", "features.npy", "a.index", "--json")
    assert code == 0
    assert IndexMade.model_validate_json(out).lists == 30
    _, out, _ = cli("index", "inspect", "a.index", "--json")
    (found,) = IndexInspections.model_validate_json(out).indexes
    assert found.vectors == 1200
    assert [each.probes for each in found.searches] == [1, 2, 4, 8, 16]
    line = ("index", "compress", "a.index", "--json", "--to", "sq8", "--lists", "10")
    _, out, _ = cli(*line, "b.index")
    assert IndexCompressed.model_validate_json(out).lists == 10
    _, out, _ = cli(*line, "--suggest", "--nprobe", "2")
    assert [each.probes for each in IndexSuggestions.model_validate_json(out).tried] == [2]


def test_an_index_that_cannot_be_used_says_how_to_make_it_anew(cli: Cli, place: Path) -> None:
    features = np.load("features.npy").astype(np.float16)
    features[7, 3] = np.nan
    np.save("total_fea.npy", features)
    index = faiss.index_factory(16, "IVF8,PQ4x4fs")
    index.train(features[:7].repeat(50, 0).astype(np.float32))
    index.add(np.load("features.npy"))
    faiss.write_index(index, "fast scan.index")
    code, _, err = cli("index", "inspect", "fast scan.index")
    assert code == 3
    typed = err[err.index("voicegraph index make") :].strip()
    assert cli(*shlex.split(typed)[1:])[0] == 0
    assert faiss.read_index(str(place / "fast scan_ivf.index")).ntotal == 1199


def test_sounds_through_a_pipeline(cli: Cli) -> None:
    samples, rate = soundfile.read(bundled_recording.path(), frames=24000, start=16000)
    soundfile.write("speech.wav", samples, rate)
    through = ("--through", "default-live")
    code, out, _ = cli("index", "make", "speech.wav", "me.safetensors", *through)
    assert code == 0
    assert "of 1 file, 0.0 min of sound" in out
    assert "(family phonetic-conformer, fingerprint" in out
    line = ("index", "compress", "me.safetensors", "small.safetensors", "--to", "sq8")
    on = ("--on", "speech.wav", *through, "--within", "snr>=20dB", "--json")
    code, out, _ = cli(*line, *on)
    report = IndexCompressed.model_validate_json(out)
    assert code == 0
    assert report.audio is not None
    assert report.audio.snr_db is not None
    assert report.queries.endswith("frames of speech.wav")
    assert report.written


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("make", "nothere.npy", "b.index"), 3, "nothere.npy cannot be read"),
        (("make", "speech.wav", "b.index"), 2, "--through"),
        (("make", "features.npy", "b.npy"), 4, "an index ends in .index"),
        (("make", "features.npy", "a.index"), 4, "a.index exists"),
        (("make", "features.npy", "b.index", "--set", "block=1"), 2, "give --through, too"),
        (("make", "features.npy", "b.index", "--encoder", "a.index"), 3, "no content encoder"),
        (("compress", "a.index"), 2, "name the file to write, or give --suggest"),
        (("compress", "a.index", "b.index"), 2, "--to sq8 nearly loses nothing"),
        (("compress", "a.index", "b.index", "--to", "pq:5"), 2, "--to pq:4"),
        (("compress", "a.index", "b.index", "--to", "sq8", "--to", "sq4"), 2, "with --suggest"),
        (("compress", "a.index", "b.index", "--suggest"), 2, "--suggest writes no index"),
        (("compress", "a.index", "b.index", "--to", "sq8", "--picture", "x.png"), 2, "--suggest"),
        (("compress", "a.index", "b.index", "--to", "sq8", "--within", "x"), 2, "expected >="),
        (("compress", "a.index", "b.index", "--to", "sq8", "--on", "a.wav"), 2, "--through"),
        (("compress", "features.npy", "b.index", "--to", "sq8"), 3, "features.npy"),
        (("inspect", "a.index", "--through", "rvc"), 2, "--on"),
    ],
)
def test_mistakes_say_what_to_do(
    cli: Cli, made: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = set(Path().iterdir())
    found, out, err = cli("index", *arguments)
    shown = " ".join((out + err).split())
    assert said in shown
    assert found == code
    assert set(Path().iterdir()) == before
    found, out, _ = cli("index", *arguments, "--json")
    assert found == code
    if code != 2:
        assert json.loads(out)["problems"]
