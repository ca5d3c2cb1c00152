"""Whom to call: the order, who is left out, and what stands on the page and in a spreadsheet."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sync.answers import ranking
from sync.answers.ranking import IN_HAND, TO_CALL, Lead, rank
from sync.cli import show_rank
from tests.looking_world import MODEL, did, scorings, stands, world
from tests.two_crms import contact_id, lead_id, record, short

TODAY = date(2026, 11, 20)


@pytest.fixture
def town(tmp_path):
    found = world(tmp_path)
    yield found
    found.store.close()


def ranked(town, **asked):
    """The first record of each, in order."""
    return [short(lead.records[0].split(":")[2]) for lead in leads(town, **asked)]


def leads(town, **asked):
    return rank(town.store, scorings(town)[0], **asked)


def contacts(town, journeys):
    """Contacts that stand so: id -> status and, of the journey, what else is known."""
    town.hub(*[record("contact", id_, country="Norway") for id_ in journeys])
    town.identify()
    for id_, (status, *more) in journeys.items():
        stands(town, id_, status, 30, **(more[0] if more else {}))


def test_the_most_ready_come_first_and_who_sales_has_in_hand_is_left_out(town):
    contacts(town, {status: (status,) for status in reversed((*TO_CALL, *IN_HAND))})

    assert ranked(town) == ["mql", "qualifying", "recycled", "prospect", "suspect"]
    assert ranked(town, statuses=(*TO_CALL, *IN_HAND)) == [*TO_CALL, *IN_HAND]
    assert ranked(town, statuses=("won",)) == ["won"]


def test_within_a_status_the_score_decides_then_the_newest_rise_then_the_record(town):
    town.hub(
        *[record("contact", id_, country="Norway" if id_ in {"2", "5"} else "Peru") for id_ in "12345"],
    )
    town.identify()
    for id_, score, surged_on in (("1", 15, None), ("2", 30, None), ("3", 15, "2026-11-02"), ("4", 15, "2026-11-10")):
        stands(town, id_, "mql", score, surged_on=surged_on)
    stands(town, "5", "suspect", 30)

    assert ranked(town) == ["2", "4", "3", "1", "5"]


def test_what_is_shown_is_of_today_and_in_its_order(town):
    """A score that rose since the last pass moves its person up among those shown."""
    town.hub(record("contact", "1", country="Peru"), record("contact", "2", country="Norway"))
    town.identify()
    stands(town, "1", "mql", 90)
    stands(town, "2", "mql", 80)

    assert [(lead.records, lead.score) for lead in leads(town)] == [
        (["hubspot:contact:2"], 30),
        (["hubspot:contact:1"], 15),
    ]


def test_at_most_so_many_are_shown(town):
    contacts(town, {str(number): ("prospect",) for number in range(1, 6)})

    assert ranked(town, limit=2) == ["1", "2"]
    assert ranked(town, limit=9) == ["1", "2", "3", "4", "5"]


def test_who_rests_left_the_audience_or_is_gone_is_left_out(tmp_path):
    town = world(tmp_path, {**MODEL, "audience": {"country": "Norway"}})
    contacts(town, {"1": ("mql",), "2": ("mql",)})
    town.hub(*[record("contact", id_, country="Norway") for id_ in ("3", "4")])
    town.identify()
    stands(town, "3", "mql", resting=True)
    stands(town, "4", "mql")
    town.hub(record("contact", "2", version=1, country="Peru"), deletions=[("contact", "4")])

    assert ranked(town) == ["1"]
    town.store.close()


def test_those_left_out_make_room_for_others(tmp_path):
    town = world(tmp_path, {**MODEL, "audience": {"country": "Norway"}})
    contacts(town, {"1": ("mql",), "2": ("mql",), "3": ("mql",)})
    town.hub(record("contact", "1", version=1, country="Peru"))

    assert ranked(town, limit=1) == ["2"]
    town.store.close()


def test_however_many_are_left_out_those_behind_them_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(ranking, "CHUNK", 2)
    town = world(tmp_path, {**MODEL, "audience": {"country": "Norway"}})
    contacts(town, {str(number): ("mql",) for number in range(1, 15)})
    town.hub(*[record("contact", str(number), version=1, country="Peru") for number in range(1, 13)])

    assert [ranked(town, limit=limit) for limit in (1, 2, 3)] == [["13"], ["13", "14"], ["13", "14"]]
    town.store.close()


OWNER_CASES = [
    ("the id", "12", ["1"]),
    ("the address", "ANN@us.example", ["1"]),
    ("the id in the other CRM", "0055g0000000002AAA", ["2"]),
    ("somebody else", "99", []),
]


@pytest.mark.parametrize(("remark", "owner", "expected"), OWNER_CASES, ids=[case[0] for case in OWNER_CASES])
def test_an_owner_is_named_by_id_or_address(town, remark, owner, expected):
    town.hub(
        record("owner", "12", email="ann@us.example"),
        record("contact", "1", parents={"owner": "12"}),
        record("contact", "2", emails="jo@acme.example"),
        record("contact", "3"),
    )
    town.org(record("contact", contact_id(1), emails="jo@acme.example", parents={"user": "0055g0000000002AAA"}))
    town.identify()
    for id_ in "123":
        stands(town, id_)

    assert ranked(town, owner=owner) == expected


def test_a_person_has_every_record_the_owner_and_the_strongest_reason(town):
    town.hub(
        record("contact", "1", emails="jo@acme.example", country="Norway", parents={"owner": "12"}),
        activities=[did("form_submissions", "a", "1", form="Demo")],
    )
    town.org(record("lead", lead_id(1), emails="jo@acme.example"))
    town.identify()
    stands(town, "1", "mql", 60, mql_since="2026-11-10", since="2026-11-10", mql_count=1)
    (lead,) = leads(town)

    assert lead.to_json() == {
        "person": town.person_of("1"),
        "records": ["hubspot:contact:1", f"salesforce:lead:{lead_id(1)}"],
        "score": 60,
        "tier": "B2",
        "status": "mql",
        "since": "2026-11-10",
        "momentum": "rising",
        "surged_on": None,
        "points_to_mql": 0,
        "reason": "country: Norway",
        "summary": "B2 · 60 · MQL since 10 Nov · country: Norway",
        "owner": "12",
    }


# as people read it


LEAD = Lead(
    person=1,
    records=["hubspot:contact:1001", "salesforce:lead:00Q5g0000000001AAA"],
    score=84,
    tier="A1",
    status="mql",
    since=date(2026, 11, 3),
    momentum="rising",
    surged_on=date(2026, 11, 2),
    points_to_mql=0,
    reason="asked for a demo of everything we have and of what we will have next year",
    summary="A1 · 84 · MQL since 3 Nov · asked for a demo",
    owner="12",
)
QUIET = replace(LEAD, status="disqualified", momentum=None, points_to_mql=None, surged_on=None, owner="", reason="")


def shown(found, width=80, **names):
    out = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False, markup=False,
        emoji=False, soft_wrap=True,
    )  # fmt: skip
    show_rank.rank(out, found, TODAY, {1: names["name"]} if names else {})
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 140])
def test_a_person_takes_two_lines_that_fit(width):
    head, first, second = shown([LEAD], width)

    assert head.split() == ["score", "tier", "status", "since", "trend", "to", "MQL", "why"]
    assert first.startswith("     84  A1    MQL           3 Nov        rising       0  asked for a demo of")
    assert second.split() == [
        "hubspot:1001",
        "salesforce:00Q5g0000000001AAA",
        "owner",
        "12",
        "sharp",
        "rise",
        "2",
        "Nov",
    ]
    assert max(map(len, (head, first))) <= width
    assert first.endswith("next year" if width == 140 else "…")


def test_what_is_not_known_leaves_its_place_empty():
    _, first, second = shown([QUIET])

    assert first.split() == ["84", "A1", "Disqualified", "3", "Nov"]
    assert second.split() == ["hubspot:1001", "salesforce:00Q5g0000000001AAA"]


def test_names_stand_there_only_when_they_are_asked_for():
    assert "Jo Fox" not in "".join(shown([LEAD]))
    assert shown([LEAD], name="Jo Fox")[2].split()[:2] == ["Jo", "Fox"]


def test_nobody_is_said_in_words():
    assert shown([]) == ["nobody waits for a call"]


def sheet(found, names=()):
    out = io.StringIO()
    show_rank.as_csv(out, found, ["hubspot", "salesforce"], dict(names))
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_a_spreadsheet_has_a_header_and_a_column_of_ids_for_each_crm():
    two = replace(LEAD, records=[*LEAD.records, "hubspot:contact:1002"])
    first, second = sheet([two, QUIET])

    assert (first["hubspot"], first["salesforce"]) == ("1001 1002", "00Q5g0000000001AAA")
    assert (first["score"], first["status"], first["since"], first["surged_on"]) == (
        "84",
        "mql",
        "2026-11-03",
        "2026-11-02",
    )
    assert (second["momentum"], second["points_to_mql"], second["owner"]) == ("", "", "")
    assert "name" not in first
    assert sheet([LEAD], {1: "Jo Fox"})[0]["name"] == "Jo Fox"


@given(text=st.text(max_size=20), start=st.sampled_from(["=", "+", "-", "@", "\t=", "\r=", "\n=", "  +", ""]))
def test_no_cell_is_a_formula(text, start):
    (row,) = sheet([replace(LEAD, reason=start + text)])

    assert not row["reason"].lstrip().startswith(("=", "+", "-", "@"))
