"""What is used of all that was heard, and what is said where it is not enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.training.voice import _ingest as ingest
from voicegraph.training.voice import _selection as selection
from voicegraph.training.voice import _speaker_selection as speaker_selection
from voicegraph.training.voice._ingest import Recording, Utterance
from voicegraph.training.voice._selection import check_enough, choose
from voicegraph.training.voice.workdir import Workplace

Hear = Callable[..., None]


@pytest.fixture(autouse=True)
def _nothing_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_selection, "common", lambda: np.zeros(256))


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path / "work")


@pytest.fixture
def hear(place: Workplace) -> Hear:
    """``hear(number, (reason, speaker, seconds), ...)``: a recording of such utterances."""

    def write(number: int, *parts: tuple[str, int, float], snr_db: float = 40) -> None:
        utterances: list[Utterance] = []
        vectors = np.zeros((0, 256))
        at = 0.0
        for reason, speaker, seconds in parts:
            count = 0 if reason else 2
            utterances.append(Utterance(at, at + seconds, reason, "", snr_db, count))
            vectors = np.concatenate((vectors, np.eye(256)[[speaker] * count]))
            at += seconds
        place.heard(number).parent.mkdir(parents=True, exist_ok=True)
        samples = np.full(int(24000 * at) + 1, 328 * number, np.int16)
        soundfile.write(place.sound(number), samples, 24000)
        ingest._npz(place.vectors(number), vectors)
        known = {"seconds": at, "rate": 8000, "channels": 1, "band_hz": 3400.0}
        ingest._note(
            place, number, Recording(f"{number}.wav", utterances=tuple(utterances), **known)
        )

    return write


def _refused(place: Workplace, count: int, anyway: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        check_enough(choose(place, count).report, anyway)
    return str(caught.value)


def test_only_the_speakers_own_good_utterances_are_used(place: Workplace, hear: Hear) -> None:
    hear(0, ("", 1, 4.0), ("noisy", 1, 5.0), ("", 2, 3.0))
    hear(1, ("", 1, 6.0), ("clipped", 1, 2.0))
    report = choose(place, 2).report
    assert place.spoken() == [0, 1]
    lengths = [soundfile.info(place.speech(n)).duration for n in (0, 1)]
    assert lengths == pytest.approx([4.0, 6.0], abs=0.01)
    assert soundfile.read(place.speech(1))[0][100] == pytest.approx(0.01, abs=1e-4)
    assert report.reasons() == {"noisy": 5.0, "another speaker": 3.0, "clipped": 2.0}
    assert [r.used_s for r in report.recordings] == [4.0, 6.0]
    assert report.share == pytest.approx(10 / 13)
    assert "telephone" in report.recordings[0].notes[0]


def test_an_hour_is_enough_and_the_cleanest_stay(
    place: Workplace, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST_S", 10.0)
    hear(0, ("", 1, 4.0), ("", 1, 4.0), snr_db=20)
    hear(1, ("", 1, 5.0), snr_db=30)
    report = choose(place, 2).report
    assert report.used_s == 9.0
    assert report.reasons() == {"more than is needed": 4.0}


def test_too_little_says_how_much_and_why(place: Workplace, hear: Hear) -> None:
    hear(0, *[("", 1, 12.0)] * 10, *[("noisy", 1, 18.0)] * 10)
    text = _refused(place, 1)
    assert "2.0 min of clean speech of one speaker were found; at least 5 min are needed" in text
    assert "3.0 min noisy" in text
    assert "--anyway" in text
    check_enough(choose(place, 1).report, anyway=True)


def test_a_handful_is_too_little_anyway(place: Workplace, hear: Hear) -> None:
    hear(0, ("", 1, 6.0), ("", 1, 6.0))
    assert "2 utterances; at least 8 are needed" in _refused(place, 1, anyway=True)


def test_two_who_speak_equally_are_refused(place: Workplace, hear: Hear) -> None:
    hear(0, *[("", 1, 9.0)] * 9, ("", 1, 21.0), *[("", 2, 14.0)] * 7)
    assert "several people speak: the one who speaks most has 51%" in _refused(place, 1)


def test_no_speech_at_all(place: Workplace, hear: Hear) -> None:
    hear(0)
    ingest._note(place, 1, Recording("b.m4a", error="b.m4a is not audio"))
    text = _refused(place, 2)
    assert "no usable speech was found in 2 recordings" in text
    assert "b.m4a is not audio" in text
    assert choose(place, 1).report.recordings[0].notes == ("there is no speech in it",)
