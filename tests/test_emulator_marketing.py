"""Form submissions, mail events and list joins: orders, pages, filters."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.emulator.clock import DAY_MS, EmulatorClock, to_ms
from connectors.emulator.hubspot.activities import Log
from connectors.emulator.hubspot.api import answer
from connectors.emulator.hubspot.happenings import happen
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.wire import Refusal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
T0 = to_ms(NOW)
EVENTS = "/email/public/v1/events"
DEMO = "/form-integrations/v1/submissions/forms/demo-request"
JOINS = "/crm/v3/lists/101/memberships/join-order"


@pytest.fixture(scope="module")
def world() -> World:
    made = make_world(300, now=NOW)
    made.limits.on = False
    return made


def get(world: World, path: str) -> dict[str, Any]:
    reply = answer(world, "GET", path, "Bearer pat-x", b"")
    assert reply.status == 200, reply.body
    return reply.body


def events(world: World, query: str) -> Iterator[dict[str, Any]]:
    offset = ""
    while True:
        page = get(world, f"{EVENTS}?{query}&offset={quote(offset)}")
        yield from page["events"]
        if not page["hasMore"]:
            return
        offset = page["offset"]


@pytest.mark.parametrize("limit", [7, 100, 1000])
def test_pages_of_mail_events_bring_each_once_newest_first(world: World, limit: int) -> None:
    seen = list(events(world, f"limit={limit}"))
    assert len({(event["id"], event["created"]) for event in seen}) == len(seen) == len(world.mail.events())
    assert [event["created"] for event in seen] == sorted((event["created"] for event in seen), reverse=True)


def test_mail_event_filters(world: World) -> None:
    everything = list(events(world, "limit=1000"))
    low, high = T0 - 60 * DAY_MS, T0 - 20 * DAY_MS
    someone = everything[0]["recipient"]
    cases = [
        ("eventType=CLICK", lambda event: event["type"] == "CLICK"),
        (f"startTimestamp={low}&endTimestamp={high}", lambda event: low <= event["created"] <= high),
        (f"recipient={quote(someone.upper())}", lambda event: event["recipient"] == someone),
        ("campaignId=9001&eventType=OPEN", lambda e: (e["emailCampaignId"], e["type"]) == (9001, "OPEN")),
        ("excludeFilteredEvents=true", lambda event: not event["filteredEvent"]),
    ]
    for query, keeps in cases:
        wanted = [event["id"] for event in everything if keeps(event)]
        assert 0 < len(wanted) < len(everything), query
        assert [event["id"] for event in events(world, f"limit=50&{query}")] == wanted, query


def test_both_ends_of_the_event_window_are_included(world: World) -> None:
    created = get(world, f"{EVENTS}?limit=1")["events"][0]["created"]
    window = f"{EVENTS}?startTimestamp={created}&endTimestamp={created}"
    assert get(world, window)["events"][0]["created"] == created


def test_every_event_but_sent_names_its_sent_event_and_only_clicks_have_a_url(world: World) -> None:
    everything = list(events(world, "limit=1000"))
    sent = {(event["id"], event["created"]) for event in everything if event["type"] == "SENT"}
    for event in everything:
        assert ("url" in event) is (event["type"] == "CLICK")
        if event["type"] not in ("SENT", "STATUSCHANGE"):
            assert (event["sentBy"]["id"], event["sentBy"]["created"]) in sent


@pytest.mark.parametrize(
    "query", ["limit=1001", "limit=0", "eventType=LIKE", "offset=nonsense", "startTimestamp=yesterday"]
)
def test_bad_event_queries_are_400(world: World, query: str) -> None:
    assert answer(world, "GET", f"{EVENTS}?{query}", "Bearer pat-x", b"").status == 400


def test_submissions_come_newest_first_in_pages_that_do_not_shift(world: World) -> None:
    first = get(world, f"{DEMO}?limit=20")
    total = len(world.forms.submissions("demo-request"))
    happen(world, {"kind": "form_submission", "form": "demo-request", "contact": 1001})
    seen, after = list(first["results"]), first["paging"]["next"]["after"]
    while after:
        page = get(world, f"{DEMO}?limit=20&after={quote(after)}")
        seen += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
    assert len({item["conversionId"] for item in seen}) == len(seen) == total
    assert [item["submittedAt"] for item in seen] == sorted((item["submittedAt"] for item in seen), reverse=True)
    newest = get(world, f"{DEMO}?limit=1")["results"][0]
    assert newest["submittedAt"] == T0
    assert newest["values"][0] == {
        "name": "email",
        "value": world.row("contacts", 1001).now.properties["email"],
        "objectTypeId": "0-1",
    }
    assert answer(world, "GET", f"{DEMO}?limit=51", "Bearer pat-x", b"").status == 400


def test_joins_come_in_join_order_and_the_last_cursor_resumes(world: World) -> None:
    seen, after = [], ""
    while True:
        page = get(world, f"{JOINS}?limit=25&after={quote(after)}")
        seen += [(item["membershipTimestamp"], item["recordId"]) for item in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
    assert len(set(seen)) == len(seen) == page["total"]
    assert [stamp for stamp, _ in seen] == sorted(stamp for stamp, _ in seen)
    newcomer = next(row.id for row in world.tables["contacts"].live() if str(row.id) not in {who for _, who in seen})
    happen(world, {"kind": "list_join", "list": 101, "contact": newcomer})
    tail = get(world, f"{JOINS}?limit=250&after={quote(after)}")["results"]
    assert tail[-1] == {"recordId": str(newcomer), "membershipTimestamp": "2026-11-20T12:00:00.000Z"}
    back = get(world, f"{JOINS}?limit=10&before={quote(after)}")["results"]
    stamps = [item["membershipTimestamp"] for item in back]
    assert stamps == sorted(stamps, reverse=True)
    assert stamps[0] < tail[0]["membershipTimestamp"]


def test_who_leaves_and_joins_again_is_a_member_once_with_the_newer_date() -> None:
    world = World(EmulatorClock(NOW))
    contact = world.create("contacts", {"email": "a@acme.example"}).id
    world.lists.join(102, contact, T0 - DAY_MS)
    happen(world, {"kind": "list_leave", "list": 102, "contact": contact})
    assert len(world.lists.joins(102)) == 0
    happen(world, {"kind": "list_join", "list": 102, "email": "A@acme.example"})
    assert world.lists.joins(102).items() == [(T0, contact)]


HAPPENINGS = [
    ({"kind": "dance"}, "no activity"),
    ({"kind": "form_submission", "form": "none", "contact": 1001}, "no form"),
    ({"kind": "email_event", "type": "CLICK", "campaign": 1, "contact": 1001}, "campaigns are"),
    ({"kind": "list_join", "list": 101, "email": "nobody@acme.example"}, "no contact has this address"),
    ({"kind": "list_join", "list": 999, "contact": 1001}, "no list 999"),
    ({"kind": "call", "contact": 999_999}, "resource not found"),
]


@pytest.mark.parametrize(("what", "said"), HAPPENINGS)
def test_what_cannot_happen_says_why(world: World, what: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, KeyError, Refusal), match=said):
        happen(world, what)


@given(st.lists(st.tuples(st.sampled_from("+-"), st.integers(0, 5), st.integers(0, 3))))
def test_a_log_is_always_the_sorted_list_of_what_is_in_it(steps: list[tuple[str, int, int]]) -> None:
    log: Log[tuple[int, int]] = Log()
    held: list[tuple[int, int]] = []
    for sign, at_ms, number in steps:
        item = (at_ms, number)
        if sign == "+" and item not in held:
            log.add(item)
            held.append(item)
        elif sign == "-" and item in held:
            log.remove(item)
            held.remove(item)
        assert len(log) == len(held)
    assert log.items() == sorted(held)
    assert log.before((3,), 99) == sorted((item for item in held if item < (3,)), reverse=True)
    assert log.after((2, 1), 99) == sorted(item for item in held if item > (2, 1))
