"""Draws: blind, seeded, balanced, and stable when files come or go."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.clips.draw import TooFewError, draw
from voicegraph.schemas.experiment_clips import Draw


class Recording(NamedTuple):
    name: str
    speaker: str


def recordings(speakers: int, each: int = 3) -> list[Recording]:
    return [Recording(f"{s}-{n}", str(s)) for s in range(speakers) for n in range(each)]


def drawn(clips: list[Recording], **spec: object) -> list[Recording]:
    return draw(clips, Draw(**spec), lambda _: True, lambda _: "")  # pyright: ignore[reportArgumentType]


def sex(clip: Recording) -> str:
    return "FM"[int(clip.speaker) % 2]


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 1000), st.randoms())
def test_the_order_of_files_does_not_matter(speakers, each, seed, random) -> None:
    clips = recordings(12)
    shuffled = random.sample(clips, len(clips))
    found = drawn(clips, speakers=speakers, each=each, seed=seed)
    assert found == drawn(shuffled, speakers=speakers, each=each, seed=seed)
    assert Counter(clip.speaker for clip in found).total() == speakers * min(each, 3)
    assert len({clip.speaker for clip in found}) == speakers


def test_a_removed_speaker_moves_one_place() -> None:
    clips = recordings(40)
    before = drawn(clips, speakers=10, seed=5)
    gone = before[3].speaker
    after = drawn([clip for clip in clips if clip.speaker != gone], speakers=10, seed=5)
    assert set(before) - set(after) == {before[3]}


def test_another_seed_draws_others() -> None:
    clips = recordings(40)
    assert drawn(clips, speakers=10, seed=1) != drawn(clips, speakers=10, seed=2)


def test_every_speaker_is_drawn_equally_often() -> None:
    clips = recordings(10, 1)
    found = Counter(c.speaker for seed in range(1000) for c in drawn(clips, speakers=3, seed=seed))
    # 300 expected; five standard deviations of a binomial distribution are 73.
    assert all(abs(count - 300) < 73 for count in found.values())


def test_groups_are_balanced() -> None:
    found = draw(recordings(30), Draw(speakers=12), lambda _: True, sex, ("F", "M"))
    assert Counter(map(sex, found)) == {"F": 6, "M": 6}


def test_without_a_number_the_smallest_group_decides() -> None:
    clips = [clip for clip in recordings(30) if clip.speaker not in ("1", "3", "5")]
    found = draw(clips, Draw(), lambda _: True, sex, ("F", "M"))
    assert Counter(map(sex, found)) == {"F": 12, "M": 12}


def test_what_cannot_be_used_is_passed_over() -> None:
    found = draw(recordings(5), Draw(each=2), lambda c: not c.name.endswith("-0"), lambda _: "")
    assert len(found) == 10
    assert not any(clip.name.endswith("-0") for clip in found)


def test_speakers_that_were_known_are_left_out() -> None:
    found = drawn(recordings(5), without=["2", "4"])
    assert {clip.speaker for clip in found} == {"0", "1", "3"}


@pytest.mark.parametrize("speakers", [6, 100])
def test_too_few_speakers_are_counted(speakers: int) -> None:
    with pytest.raises(TooFewError) as caught:
        drawn(recordings(5), speakers=speakers)
    assert caught.value.found == {"": 5}
