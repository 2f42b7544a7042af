"""Selection of utterances, and the messages if there are not enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.task import Failure, Result
from voicegraph.graph.errors import InputError
from voicegraph.training.voice import _selection as selection
from voicegraph.training.voice import _speaker_selection as speaker_selection
from voicegraph.training.voice._ingest import IngestedRecording, RecordedUtterance, Recording
from voicegraph.training.voice._selection import Selection, check_enough, select
from voicegraph.training.voice._sound_work import as_flac
from voicegraph.training.voice.workdir import Workdir


class Recordings:
    """Recordings as they are after the step hear."""

    def __init__(self, workdir: Workdir) -> None:
        self.workdir = workdir
        self._made: list[IngestedRecording] = []

    def add(self, *parts: tuple[str, int, float], snr_db: float = 40) -> None:
        """Adds a recording of utterances: reason against it, speaker, seconds."""
        utterances: list[RecordedUtterance] = []
        vectors: list[np.ndarray] = []
        at = 0.0
        for reason, speaker, seconds in parts:
            count = 0 if reason else 2
            utterances.append(RecordedUtterance(at, at + seconds, reason, "", snr_db, count))
            vectors.append(np.eye(256, dtype=np.float32)[[speaker] * count])
            at += seconds
        number = len(self._made)
        samples = np.full(int(24000 * at) + 1, 328 * number, np.int16)
        key = f"{number:08}"
        self.workdir.store.write(key, Result({"flac": as_flac(samples, 24000)}))
        known = {"seconds": at, "rate": 8000, "channels": 1, "band_hz": 3400.0}
        found = Recording(f"{number}.wav", utterances=tuple(utterances), **known)  # pyright: ignore[reportArgumentType]
        self._made.append(IngestedRecording(found, vectors, self.workdir.store, key))

    def add_unread(self, name: str, why: Failure) -> None:
        self._made.append(IngestedRecording.unread(Path(name), why, self.workdir.store))

    def select(self, count: int | None = None) -> Selection:
        return select(self.workdir, self._made[:count])

    def refused(self, anyway: bool = False) -> str:
        with pytest.raises(InputError) as caught:
            check_enough(self.select().report, anyway)
        return str(caught.value)


@pytest.fixture(autouse=True)
def _nothing_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_selection, "mean_speaker_vector", lambda: np.zeros(256))


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(Workdir(tmp_path / "work"))


def test_selects_good_utterances_of_the_main_speaker(recordings: Recordings) -> None:
    recordings.add(("", 1, 4.0), ("noisy", 1, 5.0), ("", 2, 3.0))
    recordings.add(("", 1, 6.0), ("clipped", 1, 2.0))
    report, workdir = recordings.select().report, recordings.workdir
    assert workdir.utterances() == [0, 1]
    lengths = [soundfile.info(workdir.speech(n)).duration for n in (0, 1)]
    assert lengths == pytest.approx([4.0, 6.0], abs=0.01)
    assert soundfile.read(workdir.speech(1))[0][100] == pytest.approx(0.01, abs=1e-4)
    assert report.reasons() == {"noisy": 5.0, "another speaker": 3.0, "clipped": 2.0}
    assert [r.used_s for r in report.recordings] == [4.0, 6.0]
    assert report.share == pytest.approx(10 / 13)
    assert "telephone" in report.recordings[0].notes[0]


def test_keeps_the_cleanest_hour(recordings: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_S", 10.0)
    recordings.add(("", 1, 4.0), ("", 1, 4.0), snr_db=20)
    recordings.add(("", 1, 5.0), snr_db=30)
    report = recordings.select().report
    assert report.used_s == 9.0
    assert report.reasons() == {"more than is needed": 4.0}


def test_what_cannot_be_processed_is_left_out_with_its_reason(recordings: Recordings) -> None:
    recordings.add(("", 1, 4.0), ("noisy", 1, 5.0), ("", 1, 3.0))
    left = recordings.select().without({1: "its process ended"}).report
    assert (left.utterances, left.used_s) == (1, 4.0)
    assert left.reasons() == {"noisy": 5.0, "cannot be processed": 3.0}
    assert [one.detail for one in left.rejected] == ["", "its process ended"]


def test_other_utterances_than_the_folder_was_begun_with_are_refused(
    recordings: Recordings,
) -> None:
    recordings.add(("", 1, 4.0), ("", 1, 3.0))
    first = recordings.select()
    assert recordings.select().report == first.report
    recordings.add(("", 1, 5.0))
    with pytest.raises(InputError, match="other utterances are chosen") as caught:
        recordings.select()
    assert "--again" in str(caught.value)


def test_too_little_speech_is_refused_with_reasons(recordings: Recordings) -> None:
    recordings.add(*[("", 1, 12.0)] * 10, *[("noisy", 1, 18.0)] * 10)
    text = recordings.refused()
    assert "2.0 min of clean speech of one speaker were found; at least 5 min are needed" in text
    assert "3.0 min noisy" in text
    assert "--anyway" in text
    check_enough(recordings.select().report, anyway=True)


def test_anyway_still_needs_eight_utterances(recordings: Recordings) -> None:
    recordings.add(("", 1, 6.0), ("", 1, 6.0))
    assert "2 utterances; at least 8 are needed" in recordings.refused(anyway=True)


def test_two_equal_speakers_are_refused(recordings: Recordings) -> None:
    recordings.add(*[("", 1, 9.0)] * 9, ("", 1, 21.0), *[("", 2, 14.0)] * 7)
    assert "several people speak: the one who speaks most has 51%" in recordings.refused()


def test_recordings_without_speech_are_refused(recordings: Recordings) -> None:
    recordings.add()
    recordings.add_unread("b.m4a", Failure("not-audio", "b.m4a is not audio", fix="ffmpeg"))
    text = recordings.refused()
    assert "no usable speech was found in 2 recordings" in text
    assert "b.m4a cannot be read: b.m4a is not audio; ffmpeg" in text
    assert recordings.select(1).report.recordings[0].notes == ("no speech was found in it",)
