"""file_host in Python: a WAV file through any pipeline, block by block, by the C interface.

python file_host.py default-live in.wav out.wav
python file_host.py default-live in.wav out.wav --profile michael nodes.pitch.params.transpose=-2

The output is moved back by the latency and is as long as the input. Needs numpy and soundfile.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import soundfile
from voicegraph_ctypes import CallError, Library, Session


def convert(session: Session, samples: np.ndarray) -> np.ndarray:
    """Passes ``[frames, channels]`` through a session; the output, ``[frames, channels]``."""
    made = session.format
    frames = -(-len(samples) * made.out_rate // made.in_rate)
    blocks = max(1, -(-(frames + made.latency) // made.out_frames))
    silence = np.zeros((max(0, blocks * made.in_frames - len(samples)), made.in_channels), "f4")
    padded = np.concatenate((samples, silence))[: blocks * made.in_frames]
    out = [session.process(block) for block in np.split(padded, blocks)]
    joined = np.concatenate([np.frombuffer(block, "f4") for block in out])
    return joined.reshape(-1, made.out_channels)[made.latency : made.latency + frames]


def main() -> int:
    """Runs the command line; its exit code."""
    parser = argparse.ArgumentParser(description="A WAV file through a pipeline.")
    parser.add_argument("pipeline")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("overrides", nargs="*", metavar="PATH=VALUE")
    parser.add_argument("--profile", action="append", default=[], metavar="NAME")
    asked = parser.parse_intermixed_args()
    try:
        samples, rate = soundfile.read(asked.input, dtype="float32", always_2d=True)
        ends = {"in_rate": rate, "in_channels": samples.shape[1], "profiles": asked.profile}
        with Library().open(asked.pipeline, asked.overrides, **ends) as session:
            out = convert(session, samples)
            soundfile.write(asked.output, out, session.format.out_rate, "FLOAT")
            print(
                f"{asked.output}: {len(out)} frames at {session.format.out_rate} Hz, "
                f"channels: {out.shape[1]}"
            )
    except CallError as error:
        print(f"file_host.py: {error}", file=sys.stderr)
        return error.code
    except (OSError, soundfile.SoundFileError) as error:
        print(f"file_host.py: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
