"""Draws the clips at random: ``python -m training.evaluate.choose --speech FOLDER``.

LibriSpeech's list of sexes may be missing, so the sex is guessed from the median F0; speakers
between the two ranges are left out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.experiments.observers.contours import level_contour, swift_contour
from voicegraph.graph.metrics.f0_error import median_hz
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE
from voicegraph.training.evaluate.clips import LIST, Clip, cut, write

KNOWN = {"8088", "2609"}
"""Speakers that were known while the voices were made: the one of the bundled recording, and the
worst of an earlier study.
"""
EACH = 12
"""Speakers of each sex."""
SHORTEST, LONGEST = 5.0, 7.0
"""Seconds."""
_MALE_BELOW_HZ, _FEMALE_ABOVE_HZ = 150.0, 170.0
SEED = 2026
_FRAMES_HZ = 100


def draw_clips(folder: Path, each: int = EACH, seed: int = SEED) -> list[Clip]:
    """Equal numbers of male and female speakers, in the order in which they are drawn.

    Raises:
        SystemExit: if there are not enough.
    """
    found: dict[str, list[Clip]] = {"M": [], "F": []}
    for clip in _candidates(folder, np.random.default_rng(seed)):
        if len(found[clip.sex]) < each:
            found[clip.sex].append(clip)
        if all(len(clips) == each for clips in found.values()):
            return [*found["M"], *found["F"]]
    counts = ", ".join(f"{len(clips)} {sex}" for sex, clips in found.items())
    raise SystemExit(f"{folder} has too few speakers for {each} of each sex: {counts}")


def _candidates(folder: Path, random: np.random.Generator) -> Iterator[Clip]:
    speakers: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*-*-*.flac")):
        if soundfile.info(path).duration >= SHORTEST:
            speakers[path.stem.partition("-")[0]].append(path)
    for speaker in random.permutation(sorted(speakers.keys() - KNOWN)):
        path = speakers[speaker][random.integers(len(speakers[speaker]))]
        seconds = clip_end(cut(path, LONGEST))
        median = median_hz(swift_contour(cut(path, seconds)))
        if median < _MALE_BELOW_HZ or median > _FEMALE_ABOVE_HZ:
            yield Clip(
                path.stem, "M" if median < _MALE_BELOW_HZ else "F", round(median, 1), seconds
            )


def clip_end(audio: np.ndarray) -> float:
    """Where a clip is cut, in seconds: its end, or the quietest 0.1 s between 5 and 7 s."""
    if len(audio) < LONGEST * ENCODER_RATE:
        return round(len(audio) / ENCODER_RATE, 2)
    level = np.convolve(level_contour(audio), np.full(10, 0.1), "same")
    first, last = int(SHORTEST * _FRAMES_HZ), int(LONGEST * _FRAMES_HZ)
    return (first + int(np.argmin(level[first:last]))) / _FRAMES_HZ


def main() -> int:
    """Writes the list."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate.choose", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with LibriSpeech")
    parser.add_argument("--out", type=Path, default=LIST)
    parser.add_argument("--each", type=int, default=EACH, help="speakers of each sex")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    clips = draw_clips(given.speech, given.each, given.seed)
    write(given.out, clips)
    print(f"{given.out}: {len(clips)} clips, {sum(clip.seconds for clip in clips):.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
