"""Messages about failed nodes, and about a recording that stops or fills the disk."""

from __future__ import annotations

from voicegraph.graph.live._fault_messages import RecordingWatch, fault_message
from voicegraph.graph.runtime.fault_recovery import Fault, Recovered
from voicegraph.schemas.recording_state import RecordingState

FAILED = "node f0 (f0.dio) failed: ValueError: bad"


def test_message_says_what_follows() -> None:
    first = Fault(1, "f0", FAILED, 0.0, 1)
    assert fault_message(first, dry=False) == (
        f"{FAILED}; the output is silent, and its state is set up anew"
    )
    later = Fault(9, "f0", FAILED, 4.0, 3)
    assert fault_message(later, dry=True) == (
        f"{FAILED}; the dry signal is played, and it is built anew in 4 s"
    )
    last = Fault(99, "f0", FAILED, None, 7)
    assert "it failed 7 times in a row, so the output is silent until you" in fault_message(
        last, dry=False
    )
    assert fault_message(Recovered(100, "f0", 1.25), dry=False) == (
        "the output is back, 1.25 s after f0 had failed"
    )


def test_stopped_recording_is_told_once() -> None:
    watch = RecordingWatch()
    assert watch.update(RecordingState(path="a.jsonl", recorded_s=3)) is None
    stopped = RecordingState(path="a.jsonl", recorded_s=12, stopped="No space left on device")
    assert watch.update(stopped) == (
        "the recording a.jsonl has stopped after 12 s: No space left on device"
    )
    assert watch.update(stopped) is None


def test_falling_behind_is_told_once_until_it_has_caught_up() -> None:
    watch = RecordingWatch()
    shares = [0.2, 0.6, 0.4, 0.9, 0.05, 0.6]
    told = [watch.update(RecordingState(path="a.jsonl", behind=share)) for share in shares]
    text = "the recording a.jsonl is falling behind: the disk is slow"
    assert told == [None, text, None, None, None, text]


def test_low_space_is_told_in_time_and_once() -> None:
    watch = RecordingWatch()
    left = [3600.0, 599.0, 598.0, None, 700.0, 50.0]
    told = [watch.update(RecordingState(path="a.jsonl", left_s=seconds)) for seconds in left]
    text = "the disk has room for {} of the recording a.jsonl"
    expected = [None, text.format("10 more minutes"), None, None, None]
    assert told == [*expected, text.format("50 more seconds")]
