"""Means of speakers."""

from __future__ import annotations

from voicegraph.experiments.statistics.speakers import Unit, speaker_means, speaker_pairs


def test_seeds_count_within_a_clip_and_clips_within_a_speaker() -> None:
    values = {
        Unit("anna", "a1", (), 1): 1.0,
        Unit("anna", "a1", (), 2): 3.0,
        Unit("anna", "a1", (), 3): 5.0,
        Unit("anna", "a2", (), 1): 7.0,  # two of its seeds are missing
        Unit("bob", "b1", (), 1): 4.0,
        Unit("bob", "b1", (), 2): float("nan"),
    }
    assert speaker_means(values) == {"anna": 5.0, "bob": 4.0}


def test_pairs_are_made_of_what_both_systems_have() -> None:
    ours = {
        Unit("anna", "a1"): 1.0,
        Unit("anna", "a2"): 100.0,
        Unit("bob", "b1"): 2.0,
        Unit("cleo", "c1"): 3.0,
    }
    theirs = {
        Unit("anna", "a1"): 2.0,
        Unit("bob", "b1"): float("nan"),
        Unit("cleo", "c1"): 5.0,
        Unit("dan", "d1"): 1.0,
    }
    names, level, baseline = speaker_pairs(ours, theirs)
    assert names == ("anna", "cleo")
    assert level.tolist() == [1.0, 3.0]
    assert baseline.tolist() == [2.0, 5.0]


def test_no_common_unit_gives_no_pair() -> None:
    names, level, baseline = speaker_pairs({Unit("anna", "a1"): 1.0}, {Unit("anna", "a2"): 1.0})
    assert (names, len(level), len(baseline)) == ((), 0, 0)
