"""Draws the clips, blindly: ``python -m training.evaluate.choose --speech FOLDER``.

LibriSpeech names its speakers' sexes in a list that need not be there, so they are told from the
median of F0; who lies between the ranges is left out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.training.evaluate._f0_metrics import median_hz
from voicegraph.training.evaluate._levels import FRAMES_HZ, levels
from voicegraph.training.evaluate.clips import LIST, Clip, cut, write
from voicegraph.training.voice.augmentation import LISTENING
from voicegraph.training.voice.contours import pitch

KNOWN = {"8088", "2609"}
"""Speakers that were looked at while the voices were made: of the clip that comes along, and the
worst of an earlier study.
"""
EACH = 12
"""Speakers of each sex."""
SHORTEST, LONGEST = 5.0, 7.0
"""Seconds."""
_MALE_BELOW_HZ, _FEMALE_ABOVE_HZ = 150.0, 170.0
SEED = 2026


def drawn(folder: Path, each: int = EACH, seed: int = SEED) -> list[Clip]:
    """As many male and as many female speakers, in the order in which they were drawn.

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
        seconds = ends(cut(path, LONGEST))
        lies = median_hz(pitch(cut(path, seconds)))
        if lies < _MALE_BELOW_HZ or lies > _FEMALE_ABOVE_HZ:
            yield Clip(path.stem, "M" if lies < _MALE_BELOW_HZ else "F", round(lies, 1), seconds)


def ends(audio: np.ndarray) -> float:
    """Seconds after which a clip is cut: its end, or the quietest tenth of a second from 5 s on."""
    if len(audio) < LONGEST * LISTENING:
        return round(len(audio) / LISTENING, 2)
    level = np.convolve(levels(audio), np.full(10, 0.1), "same")
    first, last = int(SHORTEST * FRAMES_HZ), int(LONGEST * FRAMES_HZ)
    return (first + int(np.argmin(level[first:last]))) / FRAMES_HZ


def main() -> int:
    """Writes the list."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate.choose", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with LibriSpeech")
    parser.add_argument("--out", type=Path, default=LIST)
    parser.add_argument("--each", type=int, default=EACH, help="speakers of each sex")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    clips = drawn(given.speech, given.each, given.seed)
    write(given.out, clips)
    print(f"{given.out}: {len(clips)} clips, {sum(clip.seconds for clip in clips):.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
