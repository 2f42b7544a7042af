"""The HTTP interface on real sockets: status, commands, errors."""

from __future__ import annotations

import threading

import pytest

from voicegraph.app.control.service import MOST_WAITING
from voicegraph.schemas.control import Answer, RunningPipeline
from voicegraph.schemas.live_command import COMMANDS, Mute, Swap
from voicegraph.schemas.live_status import LiveParam, LiveStatus

from ..client import Client
from ..fake_live import FakeLive

SWAP = {"do": "swap", "overrides": {"nodes.f0.use": "f0.harvest"}}


def test_status_route_returns_the_status(client: Client, live: FakeLive) -> None:
    reply = client.get("/status")
    assert reply.status == 200
    assert LiveStatus.model_validate_json(reply.text) == live.status()


def test_pipeline_route_tells_how_to_compile_it_again(client: Client, live: FakeLive) -> None:
    found = RunningPipeline.model_validate(client.get("/pipeline").json)
    assert found.overrides == {"nodes.limiter.params.ceiling": -3}
    assert (found.input.rate_hz, found.latency_s) == ("48000", str(live.plan.latency.algorithmic))
    assert [node.params["ceiling"] for node in found.plan.nodes] == [-3]


def test_param_routes_list_and_find_params(client: Client) -> None:
    (listed,) = client.get("/params").json
    assert LiveParam.model_validate(listed).maximum == 24
    assert client.get("/params/pitch.transpose").json == listed


def test_setting_a_param_returns_the_new_value(client: Client, live: FakeLive) -> None:
    reply = client.ask("PUT", "/params/pitch.transpose", {"value": 7})
    assert (reply.status, reply.json["value"]) == (200, 7)
    assert live.values["pitch.transpose"] == 7


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/params/pitch.nothing", None, 404, "no-such-param"),
        ("PUT", "/params/pitch.nothing", {"value": 1}, 404, "no-such-param"),
        ("PUT", "/params/pitch.transpose", {"value": 99}, 409, "value"),
        ("PUT", "/params/pitch.transpose", '{"value": 1e999}', 409, "value"),
        ("PUT", "/params/pitch.transpose", {"value": 10**400}, 409, "value"),
        ("PUT", "/params/pitch.transpose", '{"value": NaN}', 422, "no-json"),
        ("PUT", "/params/pitch.transpose", '{"value": "\\ud800"}', 422, "no-json"),
        ("PUT", "/params/pitch.transpose", b'{"value": "\xff"}', 422, "no-json"),
        ("PUT", "/params/%ED%A0%80", {"value": 1}, 404, "no-such-param"),
        ("PUT", "/params/pitch.transpose", {"value": 1, "stream": 0}, 422, "unknown-key"),
        ("PUT", "/params/pitch.transpose", {}, 422, "missing"),
        ("PUT", "/params/broken.param", {"value": 1}, 500, "internal"),
        ("POST", "/command", {"do": "variant"}, 409, "no-variant"),
        ("POST", "/command", {"do": "mut"}, 422, "no-such-command"),
        ("POST", "/command", {"on": True}, 422, "no-command"),
        ("POST", "/command", {"do": "mute", "on": "perhaps"}, 422, "wrong-type"),
        ("POST", "/command", {"do": "swap", "overrides": {}}, 422, "out-of-range"),
        ("POST", "/command", {"do": "mute", "on": 1}, 422, "wrong-type"),
        ("POST", "/command", "{", 422, "no-json"),
        ("POST", "/command", 40_000 * "[", 422, "no-json"),
        ("POST", "/command", "", 422, "missing"),
        ("POST", "/toggle/volume", {}, 422, "wrong-value"),
        ("GET", "/nowhere", None, 404, "no-such-route"),
        ("GET", "/status/", None, 404, "no-such-route"),
        ("DELETE", "/status", None, 405, "wrong-method"),
        ("OPTIONS", "/params/pitch.transpose", None, 405, "wrong-method"),
        ("GET", "/ws", None, 426, "no-websocket"),
    ],
)
def test_failed_request_returns_status_and_problem(
    idle: Client, method: str, path: str, body: object, status: int, code: str
) -> None:
    reply = idle.ask(method, path, body)
    assert (reply.status, reply.code) == (status, code), reply.text
    answer = Answer.model_validate_json(reply.text)
    assert not answer.ok
    assert answer.problems[0].message


def test_misspelt_command_suggests_a_similar_one(idle: Client) -> None:
    (problem,) = idle.post("/command", {"do": "mut"}).json["problems"]
    assert problem["fix"] == '"do": "mute"'


def test_error_message_names_only_the_key(idle: Client) -> None:
    (problem,) = idle.post("/command", {"do": "mute", "on": "perhaps"}).json["problems"]
    assert problem["message"] == "on: expected true or false, found 'perhaps'"


@pytest.mark.parametrize(
    "command",
    [
        {"do": "set", "param": "pitch.transpose", "value": -3},
        {"do": "bypass", "node": "limiter", "on": True},
        {"do": "mute", "on": True},
        {"do": "talk", "on": True},
        {"do": "monitor", "on": True},
        {"do": "stop"},
        SWAP,
    ],
)
def test_every_kind_of_command_runs(
    client: Client, live: FakeLive, command: dict[str, object]
) -> None:
    live.gate.set()
    reply = client.post("/command", command)
    wanted = COMMANDS.validate_python(command)
    assert reply.status == 200
    assert Answer.model_validate_json(reply.text) == Answer(ok=True, command=wanted)
    assert live.done == [wanted]


def test_toggle_route_flips_the_switch(client: Client, live: FakeLive) -> None:
    answers = [client.post("/toggle/mute", {}).json["command"] for _ in range(2)]
    assert answers == [{"do": "mute", "on": True}, {"do": "mute", "on": False}]
    assert live.done == [Mute(on=True), Mute(on=False)]


def test_mute_does_not_wait_for_a_swap(client: Client, live: FakeLive) -> None:
    swapped = threading.Thread(target=client.post, args=("/command", SWAP))
    swapped.start()
    assert client.post("/command", {"do": "mute"}).json["ok"]
    assert live.done == [Mute()]
    live.gate.set()
    swapped.join(20)
    assert live.done == [Mute(), Swap(overrides={"nodes.f0.use": "f0.harvest"})]


def test_one_slow_command_too_many_is_refused(client: Client, live: FakeLive) -> None:
    """One runs, the others wait; one more than the limit is refused."""
    replies: list[int] = []
    arrived = threading.Condition()

    def ask() -> None:
        status = client.post("/command", SWAP).status
        with arrived:
            replies.append(status)
            arrived.notify()

    threads = [threading.Thread(target=ask) for _ in range(MOST_WAITING + 1)]
    for thread in threads:
        thread.start()
    with arrived:
        assert arrived.wait_for(lambda: replies, 20)
    live.gate.set()
    for thread in threads:
        thread.join(20)
    assert replies == [409] + MOST_WAITING * [200]


def test_stopped_session_has_status_but_no_commands(client: Client, live: FakeLive) -> None:
    live.stopped.set()
    assert client.get("/status").json["state"] == "stopped"
    reply = client.post("/command", {"do": "mute"})
    assert (reply.status, reply.code) == (409, "ended")


def test_internal_error_is_answered_and_reported(client: Client, live: FakeLive) -> None:
    live.broken = True
    reply = client.get("/status")
    assert (reply.status, reply.code) == (500, "internal")
    live.wait_for(lambda: live.said == ["control: ZeroDivisionError: the fake is broken"])


def test_wrong_method_names_all_methods_of_the_path(idle: Client) -> None:
    asked = [("POST", "/status"), ("DELETE", "/params/pitch.transpose"), ("GET", "/command")]
    found = [idle.ask(method, path, {}).headers["allow"] for method, path in asked]
    assert found == ["GET, HEAD", "GET, HEAD, PUT", "POST"]


def test_head_returns_the_headers_of_get(idle: Client) -> None:
    head, get = idle.ask("HEAD", "/params"), idle.get("/params")
    assert (head.status, head.text) == (200, "")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_toggle_needs_no_body_and_no_content_type(client: Client, live: FakeLive) -> None:
    assert client.ask("POST", "/toggle/mute").status == 200
    assert client.ask("POST", "/toggle/mute", "", {"Content-Type": "text/plain"}).status == 415
    assert live.done == [Mute(on=True)]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_documentation_pages_of_fastapi_are_off(idle: Client, path: str) -> None:
    assert idle.get(path).status == 404
