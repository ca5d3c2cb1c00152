"""``/_emulator/``: what a test or a curious person can do and read."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.emulator import control
from connectors.emulator.clock import EmulatorClock, iso, parse_ms, to_ms
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.traffic import Traffic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world(40, now=NOW)


def ask(world: World, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = b"" if body is None else orjson.dumps(body)
    reply = control.answer(world, Traffic(), method, f"/_emulator/{path}", raw)
    return reply.status, reply.body


def test_read_back_shows_everything_at_once_whatever_the_lag(world: World) -> None:
    world.index_lag_s = 600
    world.edit("contacts", 1001, {"leadmark_score": "9"})
    status, body = ask(world, "GET", "records/contacts?properties=leadmark_score")
    assert status == 200
    assert len(body["results"]) == 40
    shown = body["results"][0]
    assert (shown["id"], shown["properties"]["leadmark_score"], shown["updatedAt"]) == ("1001", "9", iso(to_ms(NOW)))
    whole = ask(world, "GET", "records/contacts?limit=1&after=1001")[1]["results"]
    assert whole[0]["id"] == "1002"
    assert set(whole[0]["properties"]) == set(world.definitions["contacts"])


def test_a_persons_edit_may_touch_read_only_properties_and_moves_the_stamp(world: World) -> None:
    world.clock.advance(10)
    edit = {"object": "contacts", "id": "1001", "properties": {"hs_email_optout": "true"}}
    assert ask(world, "POST", "records", edit) == (200, {"id": "1001", "updatedAt": "2026-11-20T12:00:10.000Z"})
    assert world.row("contacts", 1001).now.properties["hs_email_optout"] == "true"
    new = ask(world, "POST", "records", {"object": "contacts", "properties": {"email": "new@acme.example"}})[1]
    assert world.contact_of("new@acme.example") == int(new["id"])


def test_what_people_do_can_be_posted_one_by_one_or_in_a_row(world: World) -> None:
    status, body = ask(
        world,
        "POST",
        "activities",
        [
            {"kind": "form_submission", "form": "webinar", "contact": 1001, "at": "2026-11-19"},
            {"kind": "email_event", "type": "CLICK", "campaign": 9001, "contact": 1001, "url": "https://a.example/"},
            {"kind": "list_join", "list": 103, "contact": 1001},
            {"kind": "meeting", "contact": 1001, "properties": {"hs_meeting_outcome": "NO_SHOW"}},
        ],
    )
    assert (status, len(body["ids"])) == (200, 4)
    assert world.mail.events("CLICK").items()[-1].at_ms == to_ms(NOW)
    meeting = world.row("meetings", body["ids"][3]).now.properties
    assert meeting["hs_meeting_outcome"] == "NO_SHOW"
    assert int(body["ids"][3]) in world.linked("contacts", 1001, "meetings")


def test_people_merges_archives_and_erasures(world: World) -> None:
    added = ask(world, "POST", "people", {"character": "intern"})[1]["id"]
    assert world.row("contacts", added).now.properties["emulator_character"] == "intern"
    merged = ask(world, "POST", "merge", {"primary": "1001", "other": "1002"})[1]["id"]
    assert world.row("contacts", 1002).id == int(merged)
    assert ask(world, "POST", "archive", {"id": "1003"})[0] == 200
    assert ask(world, "GET", "records/contacts?archived=true")[1]["results"][0]["id"] == "1003"
    assert ask(world, "POST", "gdpr-delete", {"id": "1004"})[0] == 200
    assert ask(world, "POST", "archive", {"id": "1004"})[0] == 404


def test_settings_are_read_and_changed(world: World) -> None:
    changes = {
        "index_lag_s": 90,
        "limits": "off",
        "per_10s": 100,
        "account_type": "STANDARD",
        "time_zone": "Europe/Berlin",
        "dated_partial_status": 207,
        "scopes": {"pat-a": ["forms"]},
    }
    status, shown = ask(world, "POST", "settings", changes)
    assert status == 200
    assert shown | changes == shown
    assert world.index_lag_s == 90
    assert world.limits.on is False


WRONG = [
    ("POST", "settings", {"speed": 3}, "unknown settings"),
    ("POST", "settings", {"time_zone": "Mars/North"}, "Mars"),
    ("POST", "faults", {"do": {}}, 'a fault needs "do"'),
    ("POST", "faults", {"do": {"status": 500}, "when": "now"}, "unknown in a fault"),
    ("POST", "faults", {"do": {"drop": "never"}}, "before"),
    ("POST", "faults", {"object": "contacts", "id": 1, "action": "melt"}, "refuse"),
    ("POST", "faults", {"object": "contacts", "id": 1, "action": "ignore"}, "needs a"),
    ("POST", "clock", {"now": "soon"}, "soon"),
    ("POST", "records", {"object": "contacts", "id": "1001", "properties": {"nonsense": "1"}}, "does not exist"),
    ("POST", "activities", {"kind": "call"}, "KeyError"),
    ("POST", "people", {"character": "nobody"}, "nobody"),
]


@pytest.mark.parametrize(("method", "path", "body", "said"), WRONG)
def test_a_wrong_control_call_says_what_is_wrong(world: World, method: str, path: str, body: Any, said: str) -> None:
    status, answer = ask(world, method, path, body)
    assert status == 400
    assert said in answer["message"]


def test_an_unknown_control_call_names_the_known_ones(world: World) -> None:
    status, body = ask(world, "GET", "coffee")
    assert status == 404
    assert "GET /_emulator/clock" in body["known"]


def test_stats_count_what_there_is(world: World) -> None:
    stats = ask(world, "GET", "stats")[1]
    assert stats["objects"]["contacts"] == 40
    assert sum(stats["characters"].values()) == 40
    assert stats["email_events"] == len(world.mail.events())


def test_a_clock_stands_still_or_ticks() -> None:
    seconds = [5.0]
    ticking = EmulatorClock(NOW, ticking=lambda: seconds[0])
    still = EmulatorClock(NOW)
    seconds[0] = 7.5
    assert iso(ticking.now_ms()) == "2026-11-20T12:00:02.500Z"
    assert still.now() == NOW
    ticking.set_ms(parse_ms("2026-01-01"))
    assert iso(ticking.now_ms()) == "2026-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match="offset"):
        still.set(datetime(2026, 1, 1))  # noqa: DTZ001 - what it refuses
