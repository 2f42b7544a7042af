"""The playback ring buffer: every frame is played at its time or never."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.live._playback_buffer import LatePolicy, PlaybackRingBuffer

RATE = 8000


def _read(playback: PlaybackRingBuffer, count: int) -> np.ndarray:
    into = np.full((count, playback.channels), np.nan, np.float32)
    playback.callback(into, 0.0, False)
    return into[:, 0]


def _ones(count: int, value: float = 0.5) -> np.ndarray:
    return np.full((1, count), value, np.float32)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=40),
    policy=st.sampled_from(["fade", "silence"]),
)
def test_frame_plays_at_its_position_or_never(
    sizes: list[tuple[int, int]], policy: LatePolicy
) -> None:
    playback = PlaybackRingBuffer(1, RATE, 4096, policy)
    generator = np.random.default_rng(1)
    written = np.zeros(40000, np.float32)
    there = np.zeros(40000, bool)
    played = []
    for write, read in sizes:
        if playback.head + write - playback.demand <= 4096:
            frames = generator.uniform(-1, 1, (1, write)).astype(np.float32)
            at = playback.head
            written[at : at + write] = frames[0]
            there[max(at, playback.demand) : at + write] = True
            late = playback.write(frames)
            assert late == max(playback.demand - at, 0)
        played.append(_read(playback, read))
    audio = np.concatenate(played)
    assert np.isfinite(audio).all()
    if policy == "silence":
        expected = np.where(there, written, 0)[: len(audio)]
        assert np.array_equal(audio, expected)


def test_underrun_fades_out_and_in() -> None:
    playback = PlaybackRingBuffer(1, RATE, 1024, "fade")
    playback.write(_ones(400))
    first = _read(playback, 400)
    gap = _read(playback, 200)
    playback.head += 200
    playback.write(_ones(400))
    again = _read(playback, 400)
    whole = np.concatenate((first, gap, again))
    assert playback.underruns == 1
    assert playback.missing_frames == 200
    assert np.abs(np.diff(whole)).max() < 0.05
    assert not gap[60:].any()
    assert np.array_equal(again[60:], _ones(340)[0])


def test_silence_policy_stops_at_once() -> None:
    playback = PlaybackRingBuffer(1, RATE, 1024, "silence")
    playback.write(_ones(100))
    played = _read(playback, 200)
    assert np.array_equal(played[:100], _ones(100)[0])
    assert not played[100:].any()


def test_dry_policy_plays_the_dry_signal() -> None:
    playback = PlaybackRingBuffer(1, RATE, 1024, "dry")
    playback.write(_ones(100))
    playback.write_dry(50, _ones(350, 0.25))
    played = _read(playback, 500)
    assert np.array_equal(played[40:100], _ones(60)[0])
    assert np.allclose(played[150:400], 0.25)
    assert not played[450:].any()
    assert np.abs(np.diff(played[60:])).max() < 0.05


@pytest.mark.parametrize("policy", ["fade", "silence", "dry"])
def test_no_underrun_before_the_first_block(policy: LatePolicy) -> None:
    playback = PlaybackRingBuffer(1, RATE, 1024, policy)
    assert not _read(playback, 300).any()
    assert (playback.underruns, playback.missing_frames) == (0, 0)


def test_written_gap_is_joined_on_both_sides() -> None:
    playback = PlaybackRingBuffer(1, RATE, 2048, "fade")
    playback.write(_ones(200))
    playback.write_gap(200)
    playback.write(_ones(200))
    played = _read(playback, 600)
    assert not played[260:400].any()
    assert np.abs(np.diff(played[60:])).max() < 0.05
    assert playback.underruns == 0


@pytest.mark.parametrize("jump", [-300, -1, 1, 70, 200, 250])
def test_jump_moves_the_following_frames(jump: int) -> None:
    playback = PlaybackRingBuffer(1, RATE, 4096, "fade")
    playback.write(_ones(200))
    block = np.linspace(0, 0.5, 200, dtype=np.float32)[None]
    left = playback.jump(block, jump)
    playback.write(left)
    assert playback.head == 400 - jump
    played = _read(playback, max(playback.head, 260))
    assert np.abs(np.diff(played[60:])).max() < 0.06
    if 0 < jump < 130:
        assert np.allclose(played[-50:], block[0, -50:])


def test_stalled_device_replays_no_old_frames() -> None:
    playback = PlaybackRingBuffer(1, RATE, 256, "fade")
    for value in (0.1, 0.2, 0.3, 0.4):
        playback.write(_ones(100, value))
    played = _read(playback, 50)
    assert not played.any()


@pytest.mark.parametrize("policy", ["fade", "silence"])
def test_gap_longer_than_the_buffer_is_silent(policy: LatePolicy) -> None:
    playback = PlaybackRingBuffer(1, RATE, 256, policy)
    playback.write(_ones(100))
    _read(playback, 100)
    playback.write_gap(1000)
    playback.write(_ones(100))
    playback.callback(np.zeros((900, 1), np.float32), 0.0, False)  # the engine was away
    played = _read(playback, 200)
    assert not played[60:100].any()
    assert np.abs(played[:60]).max() < 0.01
    assert played[160] == 0.5


def test_write_larger_than_the_buffer_keeps_newest() -> None:
    playback = PlaybackRingBuffer(1, RATE, 64, "silence")
    frames = np.arange(200, dtype=np.float32)[None]
    playback.write(frames)
    _read(playback, 150)
    assert np.array_equal(_read(playback, 50), np.arange(150, 200, dtype=np.float32))


def test_playback_callback_allocates_nothing() -> None:
    import tracemalloc

    playback = PlaybackRingBuffer(2, RATE, 4096, "fade")
    into = np.zeros((200, 2), np.float32)
    for _ in range(3):
        playback.write(np.ones((2, 150), np.float32))
        playback.callback(into, 0.0, False)
    playback.write(np.ones((2, 150), np.float32))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        playback.callback(into, 0.0, False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Views and numbers, but no array of so many frames.
    assert peak - before < 1500
