"""Which file goes where."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.graph.errors import InputError, OutputError
from voicegraph.graph.files.sound.batch import Batch, Job, fill_name, plan_batch


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sounds, other files, hidden files and a folder below; the working directory."""
    for name in ("a.wav", "b.flac", "c.sph", "notes.txt", ".hidden.wav", "sub/d.WAV", ".git/e.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _pairs(batch: Batch) -> dict[str, str]:
    return {job.source.as_posix(): job.target.as_posix() for job in batch.jobs}


def _refused(call: Callable[[], object], error: type[Exception]) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_one_file_becomes_one_file(tree: Path) -> None:
    batch = plan_batch(["in/a.wav"], "out.flac")
    assert batch.single
    assert batch.jobs == (Job(Path("in/a.wav"), Path("out.flac"), "a"),)


@pytest.mark.parametrize("output", ["new/", f"new{os.sep}", "in"])
def test_file_to_folder_keeps_its_name(tree: Path, output: str) -> None:
    batch = plan_batch(["in/b.flac"], output)
    assert not batch.single
    assert _pairs(batch) == {"in/b.flac": f"{Path(output).as_posix()}/b.flac"}


def test_several_files_go_into_a_folder(tree: Path) -> None:
    batch = plan_batch(["in/a.wav", "in/b.flac", "in/c.sph"], "out")
    assert _pairs(batch) == {
        "in/a.wav": "out/a.wav",
        "in/b.flac": "out/b.flac",
        "in/c.sph": "out/c.wav",
    }


def test_folder_keeps_its_tree_and_counts_skipped_files(tree: Path) -> None:
    batch = plan_batch(["in"], "out/", "ogg")
    assert _pairs(batch) == {
        "in/a.wav": "out/a.ogg",
        "in/b.flac": "out/b.ogg",
        "in/c.sph": "out/c.ogg",
        "in/sub/d.WAV": "out/sub/d.ogg",
    }
    assert batch.skipped == 1
    assert [job.name for job in batch.jobs] == ["a", "b", "c", "sub/d"]


def test_output_folder_inside_the_input_is_skipped(tree: Path) -> None:
    (tree / "in" / "out").mkdir()
    (tree / "in" / "out" / "a.wav").touch()
    assert len(plan_batch(["in"], "in/out").jobs) == 4


def test_patterns_are_expanded_and_must_match(tree: Path) -> None:
    assert _pairs(plan_batch(["in/*.flac"], "out/")) == {"in/b.flac": "out/b.flac"}
    text = _refused(lambda: plan_batch(["in/*.mp3"], "out/"), InputError)
    assert text == "no file matches in/*.mp3"


def test_existing_name_with_brackets_is_no_pattern(tree: Path) -> None:
    (tree / "take[1].wav").touch()
    assert _pairs(plan_batch(["take[1].wav"], "o.wav")) == {"take[1].wav": "o.wav"}


def test_inputs_that_do_not_fit_the_output(tree: Path) -> None:
    several = _refused(lambda: plan_batch(["in/a.wav", "in/b.flac"], "o.wav"), OutputError)
    assert several == "2 inputs cannot become one file o.wav\n  fix: o/"
    assert "the folder in" in _refused(lambda: plan_batch(["in"], "o.wav"), OutputError)
    unclear = _refused(lambda: plan_batch(["in/a.wav"], "o"), OutputError)
    assert unclear.endswith("fix: o.wav for a file, o/ for a folder")
    wrong = _refused(lambda: plan_batch(["in/a.wav"], "o.wav", "flac"), OutputError)
    assert wrong.endswith("fix: o.flac")
    assert "the format 'm4a' cannot be written" in _refused(
        lambda: plan_batch(["in"], "o/", "m4a"), OutputError
    )


def test_folder_without_audio_is_an_error(tree: Path) -> None:
    (tree / "texts").mkdir()
    assert "holds no audio" in _refused(lambda: plan_batch(["texts"], "o/"), InputError)


def test_inputs_with_the_same_output_are_an_error(tree: Path) -> None:
    (tree / "other").mkdir()
    (tree / "other" / "A.wav").touch()
    text = _refused(lambda: plan_batch(["in/a.wav", "other/A.wav"], "o/"), OutputError)
    assert "2 inputs would be written to the same file" in text


def test_name_replaces_the_placeholder_in_templates(tree: Path) -> None:
    batch = plan_batch(["in"], "out/")
    last = batch.jobs[-1]
    assert fill_name("taps/{name}.npz", last, batch) == Path("taps/sub/d.npz")
    text = _refused(lambda: fill_name("pitch.npz", last, batch), OutputError)
    assert text == "4 inputs cannot share the file pitch.npz\n  fix: {name}.npz"
    single = plan_batch(["in/a.wav"], "o.wav")
    assert fill_name("pitch.npz", single.jobs[0], single) == Path("pitch.npz")


def test_inputs_with_the_same_stem_share_a_template(tree: Path) -> None:
    (tree / "in" / "a.flac").touch()
    batch = plan_batch(["in/a.wav", "in/a.flac"], "out/")
    text = _refused(lambda: fill_name("{name}.npz", batch.jobs[0], batch), OutputError)
    assert "2 inputs are called a" in text
