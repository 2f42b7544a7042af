"""The tab Talk in Chromium: choosing, starting, talking, controls, presets."""

from __future__ import annotations

from voicegraph.schemas.app import Devices, StartSession

from ....chromium import Page
from .fake_app import FakeApp
from .fake_state import controls, more_controls, problem
from .visits import click, move, shows, text, until, visit

PITCH = "[data-control=pitch]"


def test_session_starts_with_what_was_chosen(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    click(page, "#voice-michael")
    click(page, "input[name=quality][value=quick]")
    move(page, "#device-input", "usb", "change")
    move(page, f"{PITCH} input", 3)
    page.wait("document.querySelectorAll('.control').length === 3")
    click(page, "#start")
    until(lambda: fake.state.started)
    (request,) = fake.state.started
    assert (request.voice, request.quality, request.input) == ("michael", "quick", "usb")
    assert request.overrides == {"nodes.pitch.params.transpose": 3}
    shows(page, "#state", "You speak as Michael")
    click(page, "#start")
    shows(page, "#state", "Ready")


def test_choices_are_kept_for_the_next_visit(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    click(page, "#voice-alice")
    click(page, "#ptt")
    visit(page, fake)
    assert page.evaluate("document.querySelector('#voice-alice').checked")
    assert page.evaluate("document.querySelector('#ptt').checked")


def test_level_of_the_microphone_shows_before_start(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    shows(page, "#mic-hint", "hears you")
    assert text(page, "#mic-db").endswith(" dB")


def test_missing_devices_are_said_and_start_waits(page: Page, fake: FakeApp) -> None:
    lost = problem("PortAudio is not installed.", "apt-get install libportaudio2")
    fake.state.devices = Devices(inputs=[], outputs=[], problems=[lost])
    page.open(fake.url)
    shows(page, "#state", "No microphone was found")
    shows(page, "#devices", "What to do: apt-get install libportaudio2")
    assert page.evaluate("document.querySelector('#start').disabled")


def test_library_without_voices_says_what_to_add(page: Page, fake: FakeApp) -> None:
    fake.state.voices = []
    page.open(fake.url)
    shows(page, "#voices", "There are no voices yet")
    shows(page, "#controls", "when there is a voice")


def test_voice_that_lacks_something_cannot_be_chosen(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    assert page.evaluate("document.querySelector('#voice-old').disabled")
    click(page, "[data-voice=old] .about")
    shows(page, "dialog", "What to do: voicegraph voice add hubert_base.pt")


def test_names_are_shown_as_text(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    assert text(page, "[data-voice=alice] .voice-name") == "Alice <b>"


def test_voice_is_exchanged_while_talking(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    click(page, "#voice-michael")
    until(lambda: {"do": "voice", "name": "michael"} in fake.state.commands)
    page.wait("document.querySelector('.loading') === null")


def test_refused_exchange_says_why_and_keeps_the_voice(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    refused = problem("The voice alice is too large for this machine.", "choose another voice")
    fake.state.refuse["POST /api/session/command"] = (409, refused)
    click(page, "#voice-alice")
    shows(page, "#banner", "too large for this machine")
    page.wait("document.querySelector('#voice-heart').checked")
    page.errors.clear()  # the browser notes the refused request


def test_slider_sets_undo_and_reset_take_back(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    slider, undo = f"{PITCH} input[type=range]", "#control-actions button"
    for value in (2, 4, 5):
        move(page, slider, value)
    until(lambda: fake.state.values["pitch.transpose"] == 5)
    shows(page, f"{PITCH} output", "+5.0 semitones")
    click(page, undo)  # one movement of the slider is one step
    until(lambda: fake.state.values["pitch.transpose"] == 0)
    page.wait("document.querySelector('#control-actions button').disabled")
    move(page, slider, -3)
    click(page, f"{PITCH} .reset")
    until(lambda: fake.state.values["pitch.transpose"] == 0)
    shows(page, f"{PITCH} output", "0.0 semitones")


def test_what_is_changed_while_a_session_starts_is_told_when_it_runs(
    page: Page, fake: FakeApp
) -> None:
    visit(page, fake)
    fake.state.session = fake.state.session.model_copy(update={"state": "starting"})
    shows(page, "#state", "Starting")
    move(page, f"{PITCH} input[type=range]", 4)
    click(page, "#control-denoise-on")
    assert fake.state.commands == []
    fake.state.begin(StartSession(voice="heart"))
    until(lambda: fake.state.values["pitch.transpose"] == 4)
    until(lambda: {"do": "bypass", "node": "denoise", "on": True} in fake.state.commands)


def test_parts_of_a_control_come_with_it(page: Page, fake: FakeApp) -> None:
    fake.state.controls = [*controls(), *more_controls()]
    visit(page, fake)
    key = "document.querySelector('[data-control=autotune_key]')"
    page.wait(f"{key}?.hidden")
    click(page, "#control-autotune-on")
    page.wait(f"!{key}.hidden")
    move(page, "#control-autotune_key", "D", "change")
    click(page, "#control-actions button")  # undo
    page.wait("document.querySelector('#control-autotune_key').value === 'C'")
    move(page, "#control-autotune_key", "C#", "change")
    click(page, "#start")
    until(lambda: fake.state.started)
    assert fake.state.started[0].overrides == {
        "nodes.tune.enabled": True,
        "nodes.tune.params.key": "C#",
    }


def test_switch_that_cannot_be_used_says_why(page: Page, fake: FakeApp) -> None:
    fake.state.controls = [*controls(), *more_controls()]
    visit(page, fake)
    shows(page, "[data-control=auto_pitch]", "What to do: measure it")
    assert page.evaluate("document.querySelector('#control-auto_pitch-on').disabled")


def test_constant_delay_is_chosen_and_said_for_obs(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    click(page, "#keep-delay")
    shows(page, "#delay-hint", "260 ms")  # 195 ms of the quality, and something for devices
    move(page, "#delay-ms", 150, "change")
    shows(page, "#delay-hint", "Too short")
    move(page, "#delay-ms", 300, "change")
    click(page, "#start")
    until(lambda: fake.state.started)
    assert fake.state.started[0].delay_ms == 300
    shows(page, "#delay-hint", "In OBS, type 300 ms")
    move(page, "#delay-ms", 400, "change")
    shows(page, "#delay-now", "Use this delay now")
    click(page, "#delay-now button")
    until(lambda: len(fake.state.started) == 2)
    assert fake.state.started[1].delay_ms == 400


def test_virtual_microphone_says_its_name_or_why_there_is_none(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    click(page, "#virtual-microphone")
    page.wait("document.querySelector('#device-output').disabled")
    click(page, "#start")
    until(lambda: fake.state.started)
    assert fake.state.started[0].virtual_microphone
    shows(page, "#virtual-hint", "Choose the microphone “voicegraph” in the other program.")
    fake.state.end()
    why = problem("a virtual microphone is made on Linux only", "install VB-Cable")
    fake.state.devices = fake.state.devices.model_copy(update={"no_virtual_microphone": [why]})
    visit(page, fake)
    shows(page, "#virtual-hint", "on Linux only. What to do: install VB-Cable")
    assert page.evaluate("document.querySelector('#virtual-microphone').disabled")
    click(page, "#start")  # what was chosen before does not keep it from starting
    until(lambda: len(fake.state.started) == 2)
    assert not fake.state.started[1].virtual_microphone


def test_switch_bypasses_and_all_params_are_behind_more(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    click(page, "#control-denoise-on")
    until(lambda: {"do": "bypass", "node": "denoise", "on": True} in fake.state.commands)
    shows(page, "[data-control=denoise] .toggle-word", "off")
    click(page, "#all-params summary")
    page.wait("document.querySelectorAll('#params .param').length === 3")
    move(page, "#params select", "b", "change")
    until(lambda: fake.state.values["voice.mode"] == "b")


def test_talk_key_is_down_while_it_is_held(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart", push_to_talk=True)
    page.evaluate("document.activeElement.blur()")
    key = {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32}
    page.call("Input.dispatchKeyEvent", type="keyDown", **key)
    until(lambda: fake.state.talking)
    page.call("Input.dispatchKeyEvent", type="keyUp", **key)
    until(lambda: not fake.state.talking)
    box = page.evaluate(
        "(({ x, y }) => [x, y])(document.querySelector('#hold').getBoundingClientRect())"
    )
    pointer = {"x": box[0] + 5, "y": box[1] + 5, "button": "left", "clickCount": 1}
    page.call("Input.dispatchMouseEvent", type="mousePressed", **pointer)
    until(lambda: fake.state.talking)
    page.call("Input.dispatchMouseEvent", type="mouseReleased", **pointer)
    until(lambda: not fake.state.talking)


def test_presets_are_saved_loaded_and_say_what_they_lack(page: Page, fake: FakeApp) -> None:
    visit(page, fake, voice="heart")
    shows(page, "#preset-list", "Its voice bob is not in the library.")
    move(page, "#preset-name", "bright")
    click(page, "#preset-save button")
    shows(page, "#preset-list", "bright")
    click(page, "#preset-list .load")
    until(lambda: fake.state.session.preset == "deep")


def test_files_are_added_as_a_voice(page: Page, fake: FakeApp) -> None:
    visit(page, fake)
    click(page, "#voice-actions button")
    page.evaluate(
        "(() => { const files = new DataTransfer();"
        "for (const name of ['bob.pth', 'bob.index']) files.items.add(new File(['x'], name));"
        "const input = document.querySelector('#voice-files'); input.files = files.files;"
        "input.dispatchEvent(new Event('change')); })()"
    )
    shows(page, "dialog", "Bob has been added, and is ready to speak.")
    assert fake.state.uploads["voices"] == ["bob.pth", "bob.index"]
    page.wait("document.querySelector('#voice-bob') !== null")
