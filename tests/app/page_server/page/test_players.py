"""Players of takes and converted files in Chromium, also with files that do not come."""

from __future__ import annotations

from ....chromium import Page
from .fake_app import FakeApp
from .fake_state import problem
from .visits import click, shows, text, visit

MOVES = "Number(document.querySelector('.player input[type=range]').value) > 0.1"


def test_players_switch_at_one_position(page: Page, fake: FakeApp) -> None:
    page.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="window.sounds = []; const make = AudioContext.prototype.createMediaElementSource;"
        "AudioContext.prototype.createMediaElementSource = function (element) {"
        " window.sounds.push(element); return make.call(this, element); };"
        "window.gains = []; const gain = AudioContext.prototype.createGain;"
        "AudioContext.prototype.createGain = function () {"
        " const made = gain.call(this); window.gains.push(made); return made; };",
    )
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('.player .play') !== null")
    click(page, ".player .play")
    page.wait("window.sounds.length === 2 && window.sounds[0].currentTime > 0.2")
    click(page, ".player fieldset input")
    page.wait("window.gains[0].gain.value > 0.9 && window.gains[1].gain.value < 0.1")
    apart = page.evaluate("Math.abs(window.sounds[0].currentTime - window.sounds[1].currentTime)")
    assert apart < 0.05  # seconds: where a switch is not heard as a jump


def test_sound_that_does_not_come_is_said_and_asked_for_again(page: Page, fake: FakeApp) -> None:
    fake.state.lost_sounds = True
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('.player .play') !== null")
    page.evaluate(  # 20 s become 0.3 s
        "(() => { const real = window.setTimeout; window.setTimeout = (action, time, ...more) =>"
        " real(action, time >= 15000 ? 300 : time, ...more); })()"
    )
    click(page, ".player .play")
    shows(page, ".player", "This sound cannot be played: the file did not come within 20 s.")
    shows(page, ".player .problem", "What to do: press Play again")
    fake.state.lost_sounds = False
    click(page, ".player .play")
    page.wait(MOVES)
    assert text(page, ".player .problem") == ""


def test_second_press_gives_up_a_sound_that_is_loaded(page: Page, fake: FakeApp) -> None:
    fake.state.lost_sounds = True
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('.player .play') !== null")
    click(page, ".player .play")
    shows(page, ".player .player-state", "Loading")
    click(page, ".player .play")
    page.wait("document.querySelector('.player .play').ariaLabel.startsWith('Play')")
    assert text(page, ".player .problem") == ""
    fake.state.lost_sounds = False
    click(page, ".player .play")
    page.wait(MOVES)


def test_refused_sound_says_why(page: Page, fake: FakeApp) -> None:
    take = fake.state.takes[0].name
    lost = problem("The file is gone.", "reload")
    fake.state.refuse[f"GET /api/takes/{take}/output.wav"] = (404, lost)
    visit(page, fake, "record", voice="heart")
    page.wait("document.querySelector('.player .play') !== null")
    click(page, ".player .play")
    shows(page, ".player .problem", "This sound cannot be played")
    page.errors.clear()  # the browser notes the refused request


def test_take_has_a_player_when_its_files_are_finished(page: Page, fake: FakeApp) -> None:
    (take,) = fake.state.takes
    fake.state.takes = [take.model_copy(update={"recording": True})]
    visit(page, fake, "record", voice="heart")
    shows(page, "#takes .take-state", "recording")
    assert page.evaluate("document.querySelector('#takes .player') === null")
    fake.state.takes = [take]
    page.wait("document.querySelector('#takes .player') !== null")
    assert page.evaluate("document.querySelector('#takes .take-state').hidden")
