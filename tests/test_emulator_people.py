"""Made-up people: the same for the same arguments, of every character, with a year behind them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from connectors.emulator.characters import CHARACTERS
from connectors.emulator.clock import DAY_MS, to_ms
from connectors.emulator.hubspot.values import stored
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import add_person, make_world
from connectors.emulator.words import FREE_MAIL, RIVALS, TARGETS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RESERVED = (".example", *FREE_MAIL)


def everything(world: World) -> object:
    return (
        {
            kind: [(row.id, row.created_ms, row.now, row.history) for row in table.live()]
            for kind, table in world.tables.items()
        },
        world.mail.events().items(),
        {guid: world.forms.submissions(guid).items() for guid in world.forms.names},
        {number: world.lists.joins(number).items() for number in world.lists.names},
        {pair: links for pair, links in world.links.items() if links},
    )


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(2000, now=NOW)


def test_the_same_arguments_give_the_same_people_and_others_give_others() -> None:
    assert everything(make_world(120, seed=3, now=NOW)) == everything(make_world(120, seed=3, now=NOW))
    assert everything(make_world(120, seed=3, now=NOW)) != everything(make_world(120, seed=4, now=NOW))


@pytest.mark.parametrize("people", [1, 50, 333])
def test_there_are_as_many_people_as_asked_for(people: int) -> None:
    world = make_world(people, now=NOW)
    assert sum(1 for _ in world.tables["contacts"].live()) == people


def test_every_character_plays_among_fifty_people() -> None:
    played = {row.now.properties["emulator_character"] for row in make_world(50, now=NOW).tables["contacts"].live()}
    assert played == {character.name for character in CHARACTERS}


def test_a_later_day_moves_everybody_along(world: World) -> None:
    later = make_world(30, now=NOW + timedelta(days=1))
    shifted = [row.created_ms - DAY_MS for row in later.tables["contacts"].live()]
    assert shifted == [row.created_ms for row in make_world(30, now=NOW).tables["contacts"].live()]


def test_addresses_are_unique_ascii_and_reserved_or_free_mail(world: World) -> None:
    emails = [row.now.properties.get("email", "") for row in world.tables["contacts"].live()]
    held = [email for email in emails if email]
    assert len({email.casefold() for email in held}) == len(held)
    assert all(email.isascii() and email.endswith(RESERVED) for email in held)


def test_values_are_what_the_api_would_store(world: World) -> None:
    for kind, table in world.tables.items():
        for row in table.live():
            for name, value in row.now.properties.items():
                assert stored(world.definitions[kind][name], value) == value


def test_nothing_but_planned_meetings_and_needs_lies_in_the_future(world: World) -> None:
    now_ms = to_ms(NOW)
    assert world.mail.events().items()[-1].at_ms <= now_ms
    assert all(log.items()[-1][0] <= now_ms for log in map(world.lists.joins, world.lists.names))
    assert all(log.items()[-1].at_ms <= now_ms for log in map(world.forms.submissions, world.forms.names))
    for table in world.tables.values():
        assert all(row.created_ms <= row.now.updated_ms <= now_ms for row in table.live())


def test_active_people_do_fifteen_things_on_average(world: World) -> None:
    done = len(world.mail.events()) + sum(len(world.tables[kind].rows) for kind in ("emails", "calls", "meetings"))
    done += sum(len(world.forms.submissions(guid)) for guid in world.forms.names)
    done += sum(len(world.lists.joins(number)) for number in world.lists.names)
    assert 12 <= done / 2000 <= 20
    quiet = {
        row.id
        for row in world.tables["contacts"].live()
        if row.now.properties["emulator_character"] == "quiet_executive"
    }
    assert not quiet & {contact for number in world.lists.names for _, contact in world.lists.joins(number).items()}


def test_characters_are_what_their_names_say(world: World) -> None:
    by_character: dict[str, list[dict[str, str]]] = {}
    for row in world.tables["contacts"].live():
        by_character.setdefault(row.now.properties["emulator_character"], []).append(dict(row.now.properties))

    def domains(name: str) -> set[str]:
        return {person["email"].split("@")[1] for person in by_character[name]}

    forms = {
        guid: Counter(dict(item.values)["email"] for item in world.forms.submissions(guid).items())
        for guid in world.forms.names
    }
    assert all(forms["demo-request"][person["email"]] == 1 for person in by_character["ready_buyer"])
    assert all(forms["whitepaper"][person["email"]] >= 4 for person in by_character["student"])
    assert domains("competitor") <= set(RIVALS)
    assert domains("target_account") <= set(TARGETS)
    assert domains("free_mail") <= set(FREE_MAIL)
    assert all(person["hs_email_optout"] == "true" for person in by_character["unsubscribed"])
    assert all(person["hs_email_hard_bounce_reason_enum"] for person in by_character["hard_bounce"])
    assert all(person["hs_lead_status"] == "BAD_TIMING" for person in by_character["recycled"])
    assert all(person["hs_lead_status"] == "OPEN" for person in by_character["accepted"])
    assert all(person["lifecyclestage"] == "customer" for person in by_character["customer"])
    assert all("email" not in person for person in by_character["no_email"])
    assert all(";" in person["hs_merged_object_ids"] for person in by_character["merged"])
    assert all(
        not person["firstname"].isascii() or not person["lastname"].isascii()
        for person in by_character["accented_name"]
    )
    clicks = {event.recipient: event for event in world.mail.events("CLICK").items()}
    for person in by_character["bot_clicked"]:
        click = clicks[person["email"]]
        assert click.sent_by is not None
        assert click.at_ms - click.sent_by[0] < 10_000


def test_a_person_of_a_character_can_be_added_later() -> None:
    world = make_world(20, now=NOW)
    row = add_person(world, 4000, character="ready_buyer")
    assert row.now.properties["emulator_character"] == "ready_buyer"
    assert row.indexed is row.now
