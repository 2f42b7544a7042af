"""The screen driven by keys, without a terminal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from voicegraph.app.tui._footer import KeyBar
from voicegraph.app.tui._panel import Panel, ScreenState
from voicegraph.app.tui.screen import LiveScreen
from voicegraph.graph.errors import DeviceError, Problem, StateError
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Talk,
)

from .plain_text import plain

Scene = Callable[[LiveScreen, Pilot[None]], Awaitable[None]]
SMALLEST = (80, 24)


def _run(live: Any, scene: Scene, size: tuple[int, int] = SMALLEST) -> LiveScreen:
    """Runs a scene on a screen."""

    async def run() -> LiveScreen:
        app = LiveScreen(live)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)
        return app

    return asyncio.run(run())


async def _wait_until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        await pilot.pause(0.005)
    raise AssertionError("the condition never became true")


async def _wait_for_answers(app: LiveScreen) -> None:
    """Polls until all commands, which run on another thread, are answered."""
    for _ in range(2000):
        app.poll()
        if not app.state.pending:
            return
        await asyncio.sleep(0.002)
    raise AssertionError("no answer")


def _text(app: LiveScreen) -> str:
    """The text on the screen."""
    size = app.size
    rows = [""] * size.height
    for panel in app.screen_stack[0].query(Panel):
        for y, line in enumerate(panel.lines(*panel.size), panel.region.y):
            if panel.display and y < size.height:
                rows[y] += plain(line)[: panel.size.width].ljust(panel.size.width + 1)
    return "\n".join(rows)


def _commands_of(live: Any, *keys: str) -> list[LiveCommand]:
    """The commands that key presses send."""

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await _wait_for_answers(app)

    _run(live, press)
    return live.received


def _set(value: Any, param: str = "pitch.transpose") -> SetParam:
    return SetParam(param=param, value=value)


KEYS: list[tuple[list[str], list[LiveCommand]]] = [
    (["m"], [Mute(on=True)]),
    (["d"], [Monitor(on=True)]),
    (["t"], [Talk(on=False)]),
    (["v"], [ChooseVariant()]),
    (["r"], [Record(on=True)]),
    (["k"], [Mark()]),
    (["b"], [Bypass(node="pitch", on=True)]),
    (["tab", "b"], [Bypass(node="f0", on=True)]),
    (["tab", "end", "b"], [Bypass(node="limiter", on=False)]),
    (["right"], [_set(5.0)]),
    (["left"], [_set(3.0)]),
    (["shift+right"], [_set(14.0)]),
    (["shift+left"], [_set(-6.0)]),
    (["right", "right"], [_set(5.0), _set(6.0)]),
    (["minus", "3", "full_stop", "5", "enter"], [_set(-3.5)]),
    (["enter", "9", "enter"], [_set(9)]),
    (["enter", "enter"], []),
    (["7", "escape", "right"], [_set(5.0)]),
    (["down", "right"], [_set(1, "synth.speaker")]),
    (["down", "right"], [_set("hard", "synth.mode")]),
    (["left"], [_set("off", "synth.mode")]),
    (["enter", "o", "enter"], [_set("o", "synth.mode")]),
    (["question_mark", "m", "m"], [Mute(on=True)]),
    (["question_mark", "escape", "m"], [Mute(on=True)]),
]


def test_every_key_sends_its_command(live, status) -> None:
    """One screen for all keys: starting a screen takes longer than pressing keys."""

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        for keys, commands in KEYS:
            live.now = status
            live.received.clear()
            app.poll()
            app.param_list.focus()
            await pilot.press(*keys)
            await _wait_for_answers(app)
            assert live.received == commands, keys

    _run(live, press)


def test_redraw_after_the_end_does_nothing(live) -> None:
    app = LiveScreen(live)
    assert app.screen_stack == []
    app.redraw()


def test_switch_keys_toggle_back(live, changed) -> None:
    live.now = changed(muted=True, monitor=True, push_to_talk=True, talking=False)
    assert _commands_of(live, "m", "d", "t") == [Mute(on=False), Monitor(on=False), Talk(on=True)]


def test_smallest_screen_shows_everything(live, changed) -> None:
    live.now = changed(
        advice=["a larger block is --set block=120ms"],
        push_to_talk=True, talking=True, variant="a", messages=["the newest message"],
    )  # fmt: skip

    async def check(app: LiveScreen, pilot: Pilot[None]) -> None:
        shown = _text(app)
        for words in (
            "world  running  1:02:03  block 100 ms", "variant a  talking",
            "rms  -21.5  peak   -9.0  hold   -9.0 dB  clip 0", "rms  -20.5",
            "median   40  p99   62 of 100 ms  headroom   38 %",
            "last minute 1", "total 3", "worst 7.3 ms", "dropped 2", "caused by (system) 1",
            "algorithmic 63 + buffering 204 + device 21 = 288 ms measured 291 ms",
            "drift +12.3 ppm", "correction +11.8 ppm", "offset -0.02 ms", "realigned 0",
            "nodes, in ms", "f0", "limiter bypassed: input passes through",
            "▸pitch.transpose", "4 st", "synth.speaker", "◂ soft ▸",
            "pitch.transpose: How far. (-24 .. 24 semitones)",
            "advice: a larger block is --set block=120ms", "the newest message",
            "t talk  m mute  d dry  v variant  b bypass  r record  Tab list  ? help  q stop",
        ):  # fmt: skip
            assert words in shown.replace("  +", " +").replace("  =", " =").replace(
                "  measured", " measured"
            ), words

    _run(live, check)


def test_large_screen_shows_more_details(live) -> None:
    async def check(app: LiveScreen, pilot: Pilot[None]) -> None:
        shown = _text(app)
        assert "Mic, 48000 Hz mono" in shown
        assert "Speaker, 44100 Hz stereo" in shown
        assert "world.synthesize" in shown
        assert "max   88" in shown

    _run(live, check, (150, 50))


@pytest.mark.parametrize("size", [(4, 2), (200, 60)], ids=str)
def test_every_size_is_drawn_and_handles_keys(live, size: tuple[int, int]) -> None:
    """From the start, and after the terminal was resized."""

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("right", "tab", "down", "question_mark", "escape", "tab", "3", "enter")
        await _wait_for_answers(app)
        assert live.received == [_set(5.0), _set(3)]
        for width, height in ((size[0] + 7, size[1] + 3), (40, 10)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            await pilot.press("right")
            await _wait_for_answers(app)
            assert "voicegraph" in app.export_screenshot(title="voicegraph")
        assert live.received[2:] == [_set(4), _set(5)]

    _run(live, press, size)


def test_textual_draws_the_lines_of_the_panels(live) -> None:
    async def check(app: LiveScreen, pilot: Pilot[None]) -> None:
        drawn = app.export_screenshot().replace("&#160;", " ")
        for words in ("running", "live params", "headroom   38 % ", "▸pitch.transpose", "help "):
            assert words in drawn, words
        live.change(state="waiting", seconds=3724.9)
        app.poll()
        await pilot.pause()
        drawn = app.export_screenshot().replace("&#160;", " ")
        assert "waiting" in drawn
        assert "1:02:04" in drawn
        assert "running" not in drawn

    _run(live, check)


def test_failed_commands_are_shown_as_messages(live) -> None:
    problem = Problem("no-talk-key", "this session has no talk key", fix="--push-to-talk")
    live.failure = StateError(problem)

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("t")
        await _wait_for_answers(app)
        assert "this session has no talk key; fix: --push-to-talk" in _text(app)
        live.failure = RuntimeError("unexpected")
        await pilot.press("m")
        await _wait_for_answers(app)
        assert "RuntimeError: unexpected" in _text(app)
        assert app.is_running

    _run(live, press)


def test_invalid_values_are_shown_as_messages(live, changed) -> None:
    live.now = changed(params=[live.now.params[0].model_copy(update={"value": "{'dry': -6}"})])

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("right")
        await pilot.pause()
        assert "the arrow keys cannot change pitch.transpose" in app.state.log.texts[-1]
        assert "fix: press Enter, and type a value" in app.state.log.texts[-1]
        await pilot.press("enter", *"{a", "enter")
        await pilot.pause()
        assert "fix:" in app.state.log.texts[-1]
        assert live.received == []

    _run(live, press)


def test_failing_status_is_shown_as_message(live, monkeypatch) -> None:
    async def check(app: LiveScreen, pilot: Pilot[None]) -> None:
        def fail() -> None:
            raise DeviceError(Problem("gone", "the other process is gone"))

        monkeypatch.setattr(live, "status", fail)
        app.poll()
        await pilot.pause()
        assert "the other process is gone" in _text(app)

    _run(live, check)


def test_pending_value_is_shown_until_the_answer(live, monkeypatch) -> None:
    held: list[LiveCommand] = []

    def hold(self: object, command: LiveCommand) -> Future[None]:
        held.append(command)
        return Future()

    monkeypatch.setattr("voicegraph.app.control.command_queue.CommandQueue.submit", hold)

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("right", "right")
        app.poll()
        await pilot.pause()
        assert "6 st" in _text(app)
        assert live.now.params[0].value == 4.0

    _run(live, press)
    assert held == [_set(5.0), _set(6.0)]


def test_selection_follows_its_row(live, changed) -> None:
    params = live.now.params

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("end")
        assert app.param_list.selected == "synth.mode"
        live.change(params=[params[2], params[0]])
        app.poll()
        assert app.param_list.selected == "synth.mode"
        live.change(params=[params[0]])
        app.poll()
        assert app.param_list.selected == "pitch.transpose"
        live.change(params=[])
        app.poll()
        await pilot.press("right", "enter", "3", "b")
        assert app.param_list.selected is None
        assert "no live params" in _text(app)
        assert live.received == [Bypass(node="f0", on=True)]

    _run(live, press)


def test_long_list_scrolls_with_the_selection(live, changed) -> None:
    node = live.now.nodes[0]
    live.now = changed(nodes=[node.model_copy(update={"name": f"n{i:02}"}) for i in range(40)])

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        assert "n00" in _text(app)
        assert "n39" not in _text(app)
        await pilot.press("tab", "end")
        assert "▸n39" in _text(app)
        assert "n00" not in _text(app)
        await pilot.press("pageup", "up")
        assert "▸n30" in _text(app)
        await pilot.press("home")
        assert "▸n00" in _text(app)

    _run(live, press)


def test_help_page_names_every_key(live) -> None:
    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        page = str(app.screen.query_one(Static).content)
        for key in ("left right", "Enter", "Tab", "q Ctrl-C", "?", *"btmdv"):
            assert f"\n{key} " in f"\n{page}", key

    _run(live, press)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_stop_key_waits_for_the_session(live, key: str) -> None:
    live.stops = False

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        app.poll()
        assert live.stop_requests == 1
        assert app.is_running
        assert " stopping " in _text(app)
        live.change(state="stopped")
        live.stopped.set()
        await _wait_until(pilot, lambda: not app.is_running)

    _run(live, press)


def test_second_ctrl_c_exits_without_waiting(live) -> None:
    live.stops = False

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark", "ctrl+q", "ctrl+c")
        await _wait_until(pilot, lambda: not app.is_running)

    _run(live, press)
    assert live.stop_requests == 1


def test_screen_exits_when_the_session_stops(live) -> None:
    async def wait(app: LiveScreen, pilot: Pilot[None]) -> None:
        live.change(messages=["the last words"], state="stopped")
        live.stopped.set()
        await _wait_until(pilot, lambda: not app.is_running)
        assert app.state.log.texts[-1] == "the last words"

    _run(live, wait)


def test_only_changed_lines_are_drawn_again(live, monkeypatch) -> None:
    """The engine shares the interpreter: a screen without changes must cost nothing."""
    drawn: list[tuple[str, int]] = []

    async def check(app: LiveScreen, pilot: Pilot[None]) -> None:
        app.poll()
        await pilot.pause()
        original = Panel.refresh

        def refresh(self: Panel, *regions: Any, **options: Any) -> Any:
            drawn.extend((type(self).__name__, region.y) for region in regions)
            return original(self, *regions, **options)

        monkeypatch.setattr(Panel, "refresh", refresh)
        app.poll()
        assert drawn == []
        live.change(headroom=0.1)
        app.poll()
        assert drawn == [("Overview", 3)]

    _run(live, check)


def test_profile_is_chosen_from_a_list(live, changed) -> None:
    live.now = changed(profiles=["deep", "br\x1bight"], active_profiles=["deep"])

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("p")
        await pilot.pause()
        options = app.screen.query_one(OptionList)
        shown = [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]
        assert shown[:2] == ["  no profile", "● deep"]
        assert "\x1b" not in shown[2]
        await pilot.press("escape", "p", "down", "down", "enter")
        await pilot.press("p", "enter")
        await _wait_for_answers(app)
        assert live.received == [ChooseProfile(name="br\x1bight"), ChooseProfile(name=None)]
        assert "profile deep" in _text(app)

    _run(live, press)


def test_without_profiles_the_key_says_so(live) -> None:
    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        assert "profile" not in _text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "the pipeline has no profiles" in _text(app)
        assert live.received == []

    _run(live, press)


def test_mute_does_not_wait_for_a_swap(live) -> None:
    gate = threading.Event()
    run = live.command

    def command(command: LiveCommand) -> None:
        if isinstance(command, Bypass):
            gate.wait(20)
        run(command)

    live.command = command

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        await pilot.press("b", "m")
        await _wait_until(pilot, lambda: live.received == [Mute(on=True)])
        gate.set()
        await _wait_for_answers(app)
        assert live.received == [Mute(on=True), Bypass(node="pitch", on=True)]

    _run(live, press)


def test_voice_is_chosen_from_the_library(live, status) -> None:
    live.now = status.model_copy(update={"voice": "heart"})

    async def press(app: LiveScreen, pilot: Pilot[None]) -> None:
        app.poll()
        await pilot.press("o")
        shown = app.screen.query_one(OptionList)
        texts = [str(shown.get_option_at_index(i).prompt) for i in range(shown.option_count)]
        assert any(text.startswith("● heart ") for text in texts)
        number = next(i for i, text in enumerate(texts) if text.startswith("  michael "))
        await pilot.press(*["down"] * number, "enter")
        await _wait_for_answers(app)
        assert live.received == [ChooseVoice(name="michael")]

    _run(live, press)


@pytest.mark.parametrize("width", [30, 40, 80, 120])
def test_key_bar_keeps_help_and_stop(live, status, width: int) -> None:
    profiles = {"profiles": ["deep"], "recording": "take.jsonl", "variant": "a"}
    state = ScreenState(status.model_copy(update=profiles))
    (line,) = KeyBar(state).lines(width, 1)
    text = plain(line)[:width]
    assert "? help" in text
    assert "q stop" in text
    assert ("k mark" in text) == (width == 120)
