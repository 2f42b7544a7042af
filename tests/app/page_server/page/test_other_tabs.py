"""Health, Record, Files, Graph and Experiments in Chromium."""

from __future__ import annotations

from pathlib import Path

from voicegraph.schemas.app import AppLimits
from voicegraph.schemas.recording_state import RecordingState

from ....chromium import Page
from .fake_app import FakeApp
from .fake_state import job, late, problem
from .visits import click, move, shows, text, until, visit


def test_health_shows_delay_parts_load_and_messages(page: Page, fake: FakeApp) -> None:
    fake.state.messages = ["first", "second"]
    visit(page, fake, "health", voice="heart")
    shows(page, "#health-line", "Everything is as it should be")
    shows(page, "#latency .total", "217 ms")
    for part, value in (("algorithmic", "115"), ("buffering", "80"), ("device", "22")):
        assert text(page, f"[data-part={part}] .number") == f"{value} ms"
    shows(page, "#messages li", "second")  # the newest is the first
    assert page.evaluate("/\\d:\\d\\d/.test(document.querySelector('#messages time').textContent)")
    recording = RecordingState(path="take", recorded_s=65, bytes=5_000_000, free_bytes=8 << 30)
    fake.state.health = late(3).model_copy(update={"recording": recording})
    fake.state.advice = ["--set block=250ms"]
    fake.state.messages = ["first", "second", "third"]
    shows(page, "#health-line", "3 late blocks in the last minute")
    shows(page, "#health-facts", "1 min 5 s, 5.0 MB")
    shows(page, "#health-facts", "8.6 GB")
    shows(page, "#load-words", "3 late blocks")
    shows(page, "#health-advice", "Choose a safer delay on the tab Talk")
    shows(page, "#messages li", "third")


def test_spectrograms_are_drawn_with_pitch_while_seen(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "health", voice="heart")
    page.wait("/\\d+ Hz/.test(document.querySelector('#pitch-words')?.textContent || '')")
    drawn = (
        "[...document.querySelectorAll('.spectrogram')].every((canvas) => {"
        " const { width, height } = canvas;"
        " const { data } = canvas.getContext('2d').getImageData(width - 40, 0, 40, height);"
        " const colours = new Set(); for (let i = 0; i < data.length; i += 4)"
        " colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`); return colours.size > 20; })"
    )
    page.wait(drawn)
    pitch = drawn.replace("colours.size > 20", "colours.has('94,242,255')").replace("every", "some")
    page.wait(pitch)
    page.errors.clear()  # the browser warns that pictures are read back


def test_take_is_recorded_marked_played_and_checked(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "record", voice="heart")
    page.wait("!document.querySelector('#record').disabled")
    click(page, "#record")
    until(lambda: {"do": "record", "on": True} in fake.state.commands)
    click(page, ".player .play")
    page.wait("Number(document.querySelector('.player input[type=range]').value) > 0.1")
    click(page, ".player fieldset input")  # the other sound, at the same position
    assert page.evaluate("Number(document.querySelector('.player input[type=range]').value) > 0.1")
    shows(page, ".player", "hello")
    click(page, "#takes .actions button")
    shows(page, "#takes", "The replay is the same.")


def test_files_are_sent_converted_and_cancelled(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "files")
    page.evaluate(
        "(() => { const files = new DataTransfer(); for (const name of ['a.wav', 'b.flac',"
        " 'notes.txt']) files.items.add(new File(['x'], name));"
        "document.querySelector('#drop').dispatchEvent(new DragEvent('drop',"
        " { dataTransfer: files, bubbles: true, cancelable: true })); })()"
    )
    shows(page, "#convert-state", "2 files")
    shows(page, "#convert-state", "1 file left out: no sound.")
    move(page, "#file-transpose", 4)
    move(page, "#file-voice", "michael", "change")
    click(page, "#convert-now")
    shows(page, "#jobs", "2 files as Michael")
    assert fake.state.uploads["jobs"] == ["a.wav", "b.flac"]
    (sent,) = fake.state.jobs
    bad = problem("b.flac is cut off.", "convert it again")
    files = [
        sent.files[0].model_copy(update={"state": "done", "seconds": 1.5}),
        sent.files[1].model_copy(update={"state": "failed", "problems": [bad]}),
    ]
    running = {"state": "running", "progress": 0.5, "left_s": 75.0, "files": files}
    fake.state.jobs = [sent.model_copy(update=running)]
    shows(page, "#jobs", "about 1 min 15 s left")
    shows(page, "#jobs", "What to do: convert it again")
    page.wait("document.querySelector('#jobs .player') !== null")
    assert page.evaluate("document.querySelector('#jobs .all').hidden")  # one file needs none
    click(page, "#jobs .end")
    shows(page, "#jobs", "No conversions yet")


def _choose_sounds(page: Page, *names: str) -> None:
    listed = ", ".join(f"'{name}'" for name in names)
    page.evaluate(
        f"(() => {{ const files = new DataTransfer(); for (const name of [{listed}])"
        " files.items.add(new File(['x'.repeat(5000)], name));"
        "const input = document.querySelector('#sound-files'); input.files = files.files;"
        "input.dispatchEvent(new Event('change')); })()"
    )


def test_too_much_and_no_sound_are_said_before_anything_is_sent(page: Page, fake: FakeApp) -> None:
    fake.state.limits = AppLimits(upload_files=2, upload_bytes=2 << 20)
    visit(page, fake, "files")
    _choose_sounds(page, "notes.txt", "cover.jpg")
    shows(page, "#convert-state", "There is no sound in it: 2 files left out.")
    _choose_sounds(page, "a.wav", "b.wav", "c.wav")
    shows(page, "#convert-state", "3 files are too many: at most 2 at a time.")
    assert page.evaluate("document.querySelector('#convert-now').disabled")
    click(page, "#waiting button")
    shows(page, "#convert-state", "2 files, 10 kB")
    fake.state.limits = AppLimits(upload_bytes=(1 << 20) + 9000)
    visit(page, fake, "files")
    _choose_sounds(page, "a.wav", "b.wav")
    shows(page, "#convert-state", "10 kB is too much")


def test_refused_upload_keeps_the_files_and_says_why(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "files")
    full = problem("The disk is full.", "free 2 GB")
    fake.state.refuse["POST /api/jobs"] = (507, full)
    page.evaluate(
        "(() => { const files = new DataTransfer(); files.items.add(new File(['x'], 'a.wav'));"
        "const input = document.querySelector('#sound-files'); input.files = files.files;"
        "input.dispatchEvent(new Event('change')); })()"
    )
    click(page, "#convert-now")
    shows(page, "#convert-problem", "What to do: free 2 GB")
    shows(page, "#convert-state", "1 file")
    page.errors.clear()  # the browser notes the refused request


def test_graph_shows_costs_and_a_node_is_exchanged(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "graph", voice="heart")
    shows(page, ".badge[data-node=f0]", "1.2 ms")
    page.evaluate("document.querySelector('#node-f0').focus()")
    page.press("Enter")
    shows(page, "#node-title", "f0")
    move(page, "#node-use", "f0.swift", "change")
    shows(page, "#changes-words", "This change fits. The delay will be 215 ms")
    click(page, "#apply")
    swap = {"do": "swap", "overrides": {"nodes.f0.use": "f0.swift"}}
    until(lambda: swap in fake.state.commands)


def test_focus_stays_at_a_node_when_the_graph_is_drawn_anew(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "graph", voice="heart")
    shows(page, ".badge[data-node=f0]", "1.2 ms")
    page.evaluate("document.querySelector('#node-f0').focus(); window.old = document.activeElement")
    page.evaluate("import('./store.js').then((store) => store.emit('graph'))")
    page.wait("!window.old.isConnected && document.activeElement.id === 'node-f0'")


def test_problem_of_a_change_stands_at_its_param(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "graph", voice="heart")
    page.wait("document.querySelector('#node-f0') !== null")
    page.evaluate("document.querySelector('#node-f0').dispatchEvent(new MouseEvent('click'))")
    move(page, "[data-path='nodes.f0.params.method'] input", "harvest", "change")
    shows(page, "[data-path='nodes.f0.params.method'] .problem", "must be one of: swift, dio")
    assert page.evaluate("document.querySelector('#node-f0').classList.contains('faulty')")
    assert page.evaluate("document.querySelector('#apply').disabled")
    click(page, "#node-changes .actions button:last-child")
    page.wait("!document.querySelector('.faulty')")
    assert fake.state.commands == []


def test_live_param_and_bypass_of_a_node(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "graph", voice="heart")
    page.wait("document.querySelector('#node-limiter') !== null")
    page.evaluate("document.querySelector('#node-limiter').dispatchEvent(new MouseEvent('click'))")
    move(page, "[data-path='nodes.limiter.params.transpose'] input[type=number]", 2, "change")
    until(lambda: {"do": "set", "param": "limiter.transpose", "value": 2} in fake.state.commands)
    click(page, "#node-on")
    until(lambda: {"do": "bypass", "node": "limiter", "on": True} in fake.state.commands)
    page.wait("document.querySelector('#node-limiter').classList.contains('off')")


def test_finished_experiments_are_listed(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "experiments")
    shows(page, "#experiments", "Delay against quality")
    link = page.evaluate("document.querySelector('#experiments a').getAttribute('href')")
    assert link == "/experiments/streaming-vc/page"
    fake.state.experiments = []
    visit(page, fake, "talk")
    click(page, "#tab-experiments")
    shows(page, "#experiments", "No finished experiment yet")


def test_job_names_show_as_they_were_sent(page: Page, fake: FakeApp) -> None:
    fake.state.jobs = [job(0, "heart", ["<i>x</i>.wav"], "wav")]
    visit(page, fake, "files")
    shows(page, "#jobs", "<i>x</i>.wav")


def test_delay_is_measured_from_the_page(page: Page, fake: FakeApp) -> None:
    visit(page, fake, "health", voice="heart")
    shows(page, "[data-part=measured] .number", "not measured")
    shows(page, "#measure-more", "connect output and input by a cable")
    click(page, "#measure-now")
    shows(page, "#measure-result", "with Heart: 209 ms, as the parts say")
    shows(page, "[data-part=measured] .number", "209 ms")
    lost = problem("Nothing came back from the loudspeaker.", "connect output and input by a cable")
    fake.state.refuse["POST /api/latency"] = (409, lost)
    click(page, "#measure-now")
    shows(page, "#measure-problem", "What to do: connect output and input by a cable")
    page.errors.clear()  # the browser notes the refused request


def test_all_converted_files_are_saved_as_one_archive(
    page: Page, fake: FakeApp, tmp_path: Path
) -> None:
    made = job(0, "heart", ["a.wav", "b.wav"], "wav")
    done = [file.model_copy(update={"state": "done", "seconds": 1.5}) for file in made.files]
    fake.state.jobs = [made.model_copy(update={"state": "done", "files": done})]
    page.saves_to(tmp_path)
    visit(page, fake, "files")
    page.wait("!document.querySelector('#jobs .all').hidden")
    click(page, "#jobs .all")
    until((tmp_path / "heart.zip").exists)
    gone = problem("The job is gone.", "reload this page")
    fake.state.refuse["GET /api/jobs/job0/results.zip"] = (404, gone)
    click(page, "#jobs .all")
    shows(page, "#banner", "The job is gone.")
    page.errors.clear()  # the browser notes the refused request
