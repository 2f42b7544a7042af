"""Selection of utterances, and the messages if there are not enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.training.common.atomic_files import write_arrays
from voicegraph.training.voice import _ingest as ingest
from voicegraph.training.voice import _selection as selection
from voicegraph.training.voice import _speaker_selection as speaker_selection
from voicegraph.training.voice._ingest import RecordedUtterance, Recording
from voicegraph.training.voice._selection import check_enough, select
from voicegraph.training.voice.workdir import Workdir

AddRecording = Callable[..., None]


@pytest.fixture(autouse=True)
def _nothing_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_selection, "mean_speaker_vector", lambda: np.zeros(256))


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path / "work")


@pytest.fixture
def add(workdir: Workdir) -> AddRecording:
    """``add(number, (reason, speaker, seconds), ...)`` makes a recording of such utterances."""

    def write(number: int, *parts: tuple[str, int, float], snr_db: float = 40) -> None:
        utterances: list[RecordedUtterance] = []
        vectors = np.zeros((0, 256))
        at = 0.0
        for reason, speaker, seconds in parts:
            count = 0 if reason else 2
            utterances.append(RecordedUtterance(at, at + seconds, reason, "", snr_db, count))
            vectors = np.concatenate((vectors, np.eye(256)[[speaker] * count]))
            at += seconds
        workdir.recording_info(number).parent.mkdir(parents=True, exist_ok=True)
        samples = np.full(int(24000 * at) + 1, 328 * number, np.int16)
        soundfile.write(workdir.recording_audio(number), samples, 24000)
        write_arrays(workdir.speaker_vectors(number), vectors=vectors.astype(np.float16))
        known = {"seconds": at, "rate": 8000, "channels": 1, "band_hz": 3400.0}
        ingest.write_info(
            workdir, number, Recording(f"{number}.wav", utterances=tuple(utterances), **known)
        )

    return write


def _refused(workdir: Workdir, count: int, anyway: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        check_enough(select(workdir, count).report, anyway)
    return str(caught.value)


def test_selects_good_utterances_of_the_main_speaker(workdir: Workdir, add: AddRecording) -> None:
    add(0, ("", 1, 4.0), ("noisy", 1, 5.0), ("", 2, 3.0))
    add(1, ("", 1, 6.0), ("clipped", 1, 2.0))
    report = select(workdir, 2).report
    assert workdir.utterances() == [0, 1]
    lengths = [soundfile.info(workdir.speech(n)).duration for n in (0, 1)]
    assert lengths == pytest.approx([4.0, 6.0], abs=0.01)
    assert soundfile.read(workdir.speech(1))[0][100] == pytest.approx(0.01, abs=1e-4)
    assert report.reasons() == {"noisy": 5.0, "another speaker": 3.0, "clipped": 2.0}
    assert [r.used_s for r in report.recordings] == [4.0, 6.0]
    assert report.share == pytest.approx(10 / 13)
    assert "telephone" in report.recordings[0].notes[0]


def test_keeps_the_cleanest_hour(
    workdir: Workdir, add: AddRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST_S", 10.0)
    add(0, ("", 1, 4.0), ("", 1, 4.0), snr_db=20)
    add(1, ("", 1, 5.0), snr_db=30)
    report = select(workdir, 2).report
    assert report.used_s == 9.0
    assert report.reasons() == {"more than is needed": 4.0}


def test_too_little_speech_is_refused_with_reasons(workdir: Workdir, add: AddRecording) -> None:
    add(0, *[("", 1, 12.0)] * 10, *[("noisy", 1, 18.0)] * 10)
    text = _refused(workdir, 1)
    assert "2.0 min of clean speech of one speaker were found; at least 5 min are needed" in text
    assert "3.0 min noisy" in text
    assert "--anyway" in text
    check_enough(select(workdir, 1).report, anyway=True)


def test_anyway_still_needs_eight_utterances(workdir: Workdir, add: AddRecording) -> None:
    add(0, ("", 1, 6.0), ("", 1, 6.0))
    assert "2 utterances; at least 8 are needed" in _refused(workdir, 1, anyway=True)


def test_two_equal_speakers_are_refused(workdir: Workdir, add: AddRecording) -> None:
    add(0, *[("", 1, 9.0)] * 9, ("", 1, 21.0), *[("", 2, 14.0)] * 7)
    assert "several people speak: the one who speaks most has 51%" in _refused(workdir, 1)


def test_recordings_without_speech_are_refused(workdir: Workdir, add: AddRecording) -> None:
    add(0)
    ingest.write_info(workdir, 1, Recording("b.m4a", error="b.m4a is not audio"))
    text = _refused(workdir, 2)
    assert "no usable speech was found in 2 recordings" in text
    assert "b.m4a is not audio" in text
    assert select(workdir, 1).report.recordings[0].notes == ("no speech was found in it",)
