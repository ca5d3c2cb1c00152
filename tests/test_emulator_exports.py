"""CSV exports become a portal; what is wrong with them is reported by file and line, all at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.emulator.clock import iso, to_ms
from connectors.emulator.exports import load
from connectors.emulator.hubspot.definitions import OUTPUTS
from connectors.emulator.hubspot.world import World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FILES = Path(__file__).parent / "data" / "emulator"


def ms(*at: int) -> int:
    return to_ms(datetime(*at, tzinfo=UTC))  # type: ignore[arg-type]  # year, month, day …


@pytest.fixture(scope="module")
def world() -> World:
    loaded, _, problems = load(FILES / "export", NOW)
    assert problems == []
    assert loaded is not None
    return loaded


def test_contacts_keep_ids_stamps_and_properties_by_name_or_label(world: World) -> None:
    ana = world.row("contacts", 501)
    assert (iso(ana.created_ms), iso(ana.now.updated_ms)) == ("2026-01-05T09:30:00.000Z", "2026-10-01T08:00:00.000Z")
    assert ana.now.properties["firstname"] == "Ana"
    assert world.linked("contacts", 501, "companies") == [7]
    assert world.row("contacts", 502).now.properties["lastname"] == "Lund, Jr"
    cleo = world.row("contacts", 503)
    assert "email" not in cleo.now.properties
    assert cleo.now.updated_ms == cleo.created_ms == ms(2026, 3, 5)


def test_unknown_columns_become_custom_properties_of_the_narrowest_type(world: World) -> None:
    known = world.definitions["contacts"]
    assert {name: known[name].type for name in ("lead_source_2026", "seats_wanted", "renewal_day")} == {
        "lead_source_2026": "string",
        "seats_wanted": "number",
        "renewal_day": "date",
    }
    assert not known["seats_wanted"].hubspot_defined


def test_deals_hang_on_contacts_or_on_nobody_and_their_stage_says_what_became_of_them(world: World) -> None:
    deals = {row.id: row for row in world.tables["deals"].live()}
    assert {id_: world.linked("deals", id_, "contacts") for id_ in deals} == {9001: [501, 502], 9002: [503], 9003: []}
    assert {id_: row.created_ms for id_, row in deals.items()} == {
        9001: ms(2026, 8, 1),
        9002: ms(2026, 10, 2),
        9003: ms(2026, 10, 3),
    }
    names = ("hs_is_closed", "hs_is_closed_won", "closedate", "num_associated_contacts")
    assert {id_: tuple(row.now.properties.get(name) for name in names) for id_, row in deals.items()} == {
        9001: ("true", "true", "2026-09-30T16:00:00.000Z", "2"),
        9002: ("false", "false", None, "1"),
        9003: ("true", "false", None, "0"),
    }
    assert "Negotiation" in world.definitions["deals"]["dealstage"].options
    assert world.definitions["deals"]["contract_length"].type == "number"


def test_our_output_properties_are_always_there(world: World) -> None:
    assert set(OUTPUTS) <= set(world.definitions["contacts"])


def test_the_portals_own_options_are_options(world: World) -> None:
    assert world.definitions["contacts"]["lifecyclestage"].options[-1] == "partner"
    assert "Ship building" in world.definitions["companies"]["industry"].options


def test_merged_contacts_answer_to_old_ids_and_addresses(world: World) -> None:
    assert world.row("contacts", 498).id == 502
    assert world.contact_of("Bo2@acme.example") == 502
    assert world.linked("contacts", 502, "meetings")  # meetings.csv names it by the merged id


def test_activities_hang_where_the_files_say(world: World) -> None:
    assert world.linked("contacts", 501, "emails") == [31]
    (call,) = world.linked("contacts", 501, "calls")
    assert world.linked("calls", call, "contacts") == [501, 502]
    assert world.forms.names == {"demo-request": "Demo request"}
    submission = world.forms.submissions("demo-request").items()[0]
    assert submission.at_ms == ms(2026, 9, 4, 10)
    assert dict(submission.values) == {"email": "ana@acme.example", "budget": "high"}
    click = world.mail.events("CLICK").items()[0]
    assert (click.campaign, world.mail.campaigns[77], click.filtered) == (77, "Autumn news", True)
    assert list(world.lists.names.values()) == ["Visited pricing"]
    (number,) = world.lists.names
    assert world.lists.joins(number).items() == [(ms(2026, 9, 7, 10), 501), (ms(2026, 9, 8, 10), 503)]
    assert list(world.owners) == ["88"]


BROKEN = [
    ("contacts.csv:3: hs_object_id 1 stands there twice", "the same id"),
    ("contacts.csv:4: another row has this e-mail address", "the same address in capitals"),
    ("contacts.csv:5: budget does not hold a number", "a word"),
    ("contacts.csv:6: need_date does not hold a day", "a word"),
    ("contacts.csv:7: the row has 4 cells and the header 5", "a short row"),
    ("contacts.csv:8: hs_object_id does not hold a number", "an id that is none"),
    ("contacts.csv:11: createdate does not hold a time", "counted after a cell of two lines"),
    ("companies.csv:1: the columns name stand there twice", ""),
    ("tickets.csv:1: the emulator does not know this file", ""),
    ("emails.csv:1: the file has no header", "an empty file"),
    ("meetings.csv:2: the row is no CSV", "an open quote"),
    ("calls.csv:2: hs_timestamp is empty", ""),
    ("calls.csv:3: contacts is empty", ""),
    ("calls.csv:4: contacts names somebody who is not in contacts.csv", "by id"),
    ("calls.csv:5: contacts names somebody who is not in contacts.csv", "by address"),
    ("form_submissions.csv:2: email is empty", ""),
    ("form_submissions.csv:3: submittedAt does not hold a time", ""),
    ("email_events.csv:2: type is none of SENT", ""),
    ("email_events.csv:3: campaign and emailCampaignId are both empty", ""),
    ("list_memberships.csv:2: list and listId are both empty", ""),
    ("list_memberships.csv:3: recordId names somebody", ""),
    ("list_memberships.csv:4: membershipTimestamp is empty", ""),
]


def test_every_bad_row_is_reported_once_with_its_line_and_the_good_ones_are_served() -> None:
    world, _, problems = load(FILES / "broken", NOW)
    for start, remark in BROKEN:
        assert sum(problem.startswith(start) for problem in problems) == 1, (start, remark, problems)
    assert len(problems) == len(BROKEN)
    assert world is not None
    assert [row.id for row in world.tables["contacts"].live()] == [1, 6]
    assert not any("acme.example" in problem for problem in problems)


def test_problems_of_a_file_come_by_line() -> None:
    _, _, problems = load(FILES / "broken", NOW)
    lines = [int(problem.split(":")[1]) for problem in problems if problem.startswith("contacts.csv")]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "contacts.csv:1: the file is missing"),
        (b"", "contacts.csv:1: the file has no header"),
        (b"email,\na@acme.example,1\n", "contacts.csv:1: column 2 has no name"),
        ("email,firstname\na@acme.example,J\xf6rg\n".encode("latin-1"), "contacts.csv:1: the file is not UTF-8"),
    ],
)
def test_without_usable_contacts_there_is_no_world(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "contacts.csv").write_bytes(content)
    world, _, problems = load(tmp_path, NOW)
    assert world is None
    assert [problem[: len(said)] for problem in problems] == [said]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    world, _, problems = load(tmp_path / "nowhere", NOW)
    assert world is None
    assert "there is no such folder" in problems[0]


def test_a_byte_order_mark_and_contacts_without_ids_are_fine(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("\ufeffemail\na@acme.example\nb@acme.example\n", encoding="utf-8")
    world, _, problems = load(tmp_path, NOW)
    assert problems == []
    assert world is not None
    assert [row.id for row in world.tables["contacts"].live()] == [1001, 1002]
    assert world.row("contacts", 1001).created_ms == to_ms(NOW)
