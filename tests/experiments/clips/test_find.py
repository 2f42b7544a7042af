"""Clips of an experiment: folders, patterns, tables and lists; names, speakers, draws and cuts."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.clip import Clip
from voicegraph.experiments.clips.find import find_clips, find_speech
from voicegraph.experiments.clips.table import write_table
from voicegraph.experiments.file.load import load_mapping
from voicegraph.graph.errors import PipelineError

RATE = 8000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sound(name: str, seconds: float = 1.0, hz: float = 120.0) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 15))
    soundfile.write(path, 0.1 * np.asarray(wave), RATE)
    return path


def clips(**spec: Any) -> list[Clip]:
    loaded = load_mapping({"metrics": ["latency"], "pipeline": "world", "clips": spec})
    return find_clips(loaded.file.clips, loaded.source_map)


def refused(**spec: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        clips(**spec)
    assert all(problem.fix for problem in caught.value.problems)
    return str(caught.value)


def names(found: list[Clip]) -> list[str]:
    return [clip.name for clip in found]


def test_without_files_there_is_the_recording_of_the_package() -> None:
    [clip] = clips(speaker="sex", draw={"speakers": 4}, cut={"seconds": 3})
    assert (clip.speaker, clip.seconds) == ("8088", 3.0)


@pytest.mark.parametrize("files", ["speech", "speech/**/*.wav", ["speech/1", "speech/2"]])
def test_folders_and_patterns_give_their_recordings(files: Any) -> None:
    for name in ("speech/1/1-0.wav", "speech/1/1-1.wav", "speech/2/2-0.wav"):
        sound(name)
    Path("speech/notes.txt").write_text("no sound")
    found = clips(files=files)
    assert names(found) == ["1-0", "1-1", "2-0"]
    assert [clip.speaker for clip in found] == ["1", "1", "2"]
    assert found[0].sha256 == hashlib.sha256(found[0].path.read_bytes()).hexdigest()


def test_a_table_gives_speakers_parts_and_columns() -> None:
    sound("a.wav")
    sound("b.wav")
    text = "file,speaker,from,seconds,sex\na.wav,ann,0.25,0.5,F\nb.wav,bob,,,M\n"
    Path("clips.csv").write_text(text)
    first, second = clips(files="clips.csv", cut={"seconds": 0.75})
    assert (first.speaker, first.start_s, first.seconds) == ("ann", 0.25, 0.5)
    assert (second.start_s, second.seconds) == (0.0, 0.75)
    assert first.columns == {"sex": "F"}


def test_a_written_draw_gives_the_same_clips() -> None:
    for speaker in range(6):
        sound(f"speech/{speaker}-0.wav", 1 + speaker / 10)
    found = clips(files="speech", draw={"speakers": 3, "seed": 1}, cut={"seconds": [0.5, 1]})
    write_table(Path("drawn.csv"), found)
    assert clips(files="drawn.csv") == found


def test_a_list_chooses_files_by_name_and_contents() -> None:
    for name in ("speech/a.wav", "speech/deep/b.wav", "speech/c.wav"):
        sound(name)
    contents = hashlib.sha256(Path("speech/deep/b.wav").read_bytes()).hexdigest()
    Path("list.csv").write_text(f"name,speaker,sha256\nb,bob,{contents.upper()}\na,ann,\n")
    found = clips(files="speech", list="list.csv")
    assert [(clip.name, clip.speaker) for clip in found] == [("b", "bob"), ("a", "ann")]
    sound("speech/deep/b.wav", hz=130)
    assert "another file than the list asks for" in refused(files="speech", list="list.csv")
    Path("speech/a.wav").unlink()
    assert "1 of 2 recordings of list.csv are missing: a" in refused(
        files="speech", list="list.csv"
    )


def test_equal_names_get_their_folder() -> None:
    sound("x/0.wav")
    sound("y/0.wav")
    assert names(clips(files=["x", "y"])) == ["x-0", "y-0"]
    assert "2 recordings are called 0" in refused(files=["x", "y"], name="{stem}")


def test_short_recordings_are_not_drawn() -> None:
    for speaker, seconds in enumerate((0.4, 1.0, 1.5)):
        sound(f"speech/{speaker}-0.wav", seconds)
    assert len(clips(files="speech", draw={}, cut={"seconds": [0.5, 0.8]})) == 2
    said = refused(files="speech", draw={"speakers": 3}, cut={"seconds": [0.5, 0.8]})
    assert "2 speakers have recordings of 0.5 s or more, and 3 are to be drawn" in said
    assert "fix: clips.draw.speakers: 2" in said


def test_without_a_draw_short_recordings_stay_whole() -> None:
    sound("a.wav", 0.4)
    [clip] = clips(files="a.wav", cut={"seconds": [0.5, 0.8]})
    assert clip.seconds == pytest.approx(0.4)
    assert "clips begin at 0.5 s" in refused(files="a.wav", cut={"from": "500ms"})


def test_a_part_ends_at_a_pause() -> None:
    path = sound("a.wav", 2.0)
    audio, _ = soundfile.read(path)
    audio[round(1.25 * RATE) : round(1.35 * RATE)] = 0
    soundfile.write(path, audio, RATE)
    [clip] = clips(files="a.wav", cut={"seconds": [1, 1.8]})
    assert clip.seconds == pytest.approx(1.3, abs=0.011)
    [clip] = clips(files="a.wav", cut={"seconds": [1, 1.8], "at": "end"})
    assert clip.seconds == 1.8


def test_a_transcript_counts_for_whole_recordings() -> None:
    sound("103/103-1240-0000.wav")
    Path("103/103-1240.trans.txt").write_text("103-1240-0000 CHAPTER ONE\n")
    [whole] = clips(files="103")
    assert whole.columns["transcript"] == "CHAPTER ONE"
    [part] = clips(files="103", cut={"seconds": 0.5})
    assert "transcript" not in part.columns


def test_sexes_are_guessed_where_no_table_says_them() -> None:
    for number, hz in enumerate((110, 115, 160, 210, 220)):
        sound(f"speech/{number}-0.wav", 1.5, hz)
    found = clips(files="speech", draw={"balance": "sex"})
    assert sorted(clip.columns["sex"] for clip in found) == ["F", "F", "M", "M"]
    assert all(abs(float(c.columns["median_hz"]) - 165) > 5 for c in found)


def test_a_balance_needs_a_column_and_a_number_that_can_be_shared() -> None:
    Path("clips.csv").write_text("file,speaker,sex\na.wav,a,F\nb.wav,b,M\n")
    sound("a.wav")
    sound("b.wav")
    said = refused(files="clips.csv", draw={"balance": "age"})
    assert "no recording has a column age" in said
    said = refused(files="clips.csv", draw={"balance": "sex", "speakers": 3})
    assert "fix: speakers: 4" in said


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"files": "speach"}, "does not exist"),
        ({"files": "*.flac"}, "nothing matches"),
        ({"files": "none.csv"}, "none.csv"),
        ({"files": "speech", "speaker": "{stem.split('-')[3]}"}, "there is no \\[3\\]"),
        ({"files": "speech", "speaker": "{os}"}, "there is no os"),
        ({"files": "speech", "speaker": "sex"}, "comes from no table"),
        ({"files": "speech", "name": "{stem"}, "has no partner"),
        ({"files": "a\0b"}, "NUL"),
        ({"files": "text.wav"}, "text.wav"),
    ],
)
def test_a_wrong_source_of_clips_is_said_with_a_fix(spec: dict[str, Any], said: str) -> None:
    sound("speech/1-0.wav")
    Path("text.wav").write_text("no sound at all")
    assert re.search(said, refused(**spec))


def test_names_hold_only_what_can_be_printed() -> None:
    Path("clips.csv").write_text("file,name,speaker\na.wav,\x1b[31mred,x\u202ey\n")
    sound("a.wav")
    [clip] = clips(files="clips.csv")
    assert (clip.name, clip.speaker) == ("_[31mred", "x_y")


def test_speech_of_a_target_has_one_speaker() -> None:
    sound("held/one.wav")
    sound("held/two.wav")
    given = {"pipeline": "world", "metrics": ["latency"], "targets": {"ann": {"speech": "held"}}}
    loaded = load_mapping(given)
    found = find_speech(["held"], loaded.source_map, ("targets", "ann"), "ann")
    assert [(clip.name, clip.speaker) for clip in found] == [("ann-one", "ann"), ("ann-two", "ann")]


def test_all_recordings_that_cannot_be_used_are_named() -> None:
    for name in ("speech/a.wav", "speech/b.wav"):
        sound(name)
        Path(name).write_text("no sound at all")
    assert all(name in refused(files="speech") for name in ("a.wav", "b.wav"))
