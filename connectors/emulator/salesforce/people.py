"""An org full of made-up people of known character, some of them in a portal too; the same for the same arguments.

Who is in both has the same name, address, company, owner, sales' word and acts in both. How Salesforce knows such a
person is drawn from ``_KINDS``: as one record or several, converted, merged or deleted, linked or by the address alone.
"""

import gc
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from random import Random
from typing import Any, Literal

from connectors.emulator.characters import CHARACTERS, Habit
from connectors.emulator.clock import DAY_MS, EmulatorClock, parse_ms
from connectors.emulator.hubspot.rows import Row as HubspotRow
from connectors.emulator.hubspot.rows import Version
from connectors.emulator.hubspot.world import ENGAGEMENTS, World
from connectors.emulator.people import add_companies, describe, draw_acts, draw_character
from connectors.emulator.salesforce.counterparts import Counterparts, counterparts
from connectors.emulator.salesforce.habits import Diary, diary, last_day
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org, Row

Person = Literal["Lead", "Contact"]
#: HubSpot's property that holds the id of a person's Salesforce record
LINK: Mapping[Person, str] = {"Lead": "salesforceleadid", "Contact": "salesforcecontactid"}


@dataclass(frozen=True, slots=True)
class Kind:
    """How Salesforce knows somebody."""

    object: Person
    #: plain; double: another lead with the address; converted: a lead that became this contact; merged: another record
    #: went into this one; deleted
    fate: Literal["plain", "double", "converted", "merged", "deleted"] = "plain"
    #: the HubSpot contact names the record
    linked: bool = True


#: kind -> how many of a hundred people in both CRMs
_KINDS: Mapping[Kind, int] = {
    Kind("Contact"): 36,
    Kind("Lead"): 24,
    Kind("Contact", linked=False): 12,
    Kind("Lead", linked=False): 14,
    Kind("Contact", "double", linked=False): 3,
    Kind("Lead", "double", linked=False): 2,
    Kind("Contact", "converted"): 4,
    Kind("Contact", "merged"): 2,
    Kind("Lead", "merged"): 2,
    Kind("Lead", "deleted"): 1,
}
#: of a hundred people only Salesforce knows
_OWN_KINDS: Mapping[Kind, int] = {
    Kind("Lead", linked=False): 50,
    Kind("Contact", linked=False): 40,
    Kind("Contact", "converted", linked=False): 5,
    Kind("Contact", "merged", linked=False): 1,
    Kind("Lead", "merged", linked=False): 2,
    Kind("Lead", "deleted", linked=False): 2,
}
#: characters sales works with: contacts, never leads
_CONTACTS = ("accepted", "customer")
Done = list[tuple[int, Habit]]


@dataclass(slots=True)
class _Stage:
    """An org being filled: first the people, then what they did, so that merging looks through few rows."""

    org: Org
    diary: Diary
    acts: list[tuple[Row, Done, Random]] = field(default_factory=list)

    def play(self) -> None:
        """Writes down what everybody did, and what sales has with them."""
        book, now_ms = self.diary, self.org.clock.now_ms()
        for person, acts, rng in self.acts:
            for at_ms, habit in acts:
                book.act(rng, person, habit, at_ms)
            past = [at_ms for at_ms, _ in acts if at_ms <= now_ms]
            if past and rng.random() < 0.04:
                book.join(person, "Industry fair", "Attended", rng.choice(past))
            if person.values.get("Sales_Status__c") in ("Accepted", "Customer") and rng.random() < 0.5:
                book.open_task(person, rng)
            if person.id.startswith("003"):
                book.deal(rng, person)


def make_org(world: World | None, people: int = 2000, seed: int = 7, *, now: datetime, share: float = 1 / 3) -> Org:
    """An org that knows that many people, of whom so many are also in the world that they are ``share`` of all.

    It has the world's clock; without a world nobody is in both, and the last year ends at ``now``, aware. The world's
    contacts get the links; nothing else of it changes.
    """
    org = Org(world.clock if world else EmulatorClock(now))
    both = _in_both(world, people, seed, share) if world else []
    collecting = gc.isenabled()
    gc.disable()  # as in make_world
    try:
        stage = _Stage(org, diary(org))
        if world:
            parts, known = counterparts(org, world), _seen_by_hubspot(world)
            for number, contact in enumerate(both):
                _add_twin(stage, parts, _random(seed, number), contact, known[contact.id])
        lent = counterparts(org, _lender(org, people, seed))
        for number in range(len(both), people):
            _add_own(stage, lent, _random(seed, number), number)
        stage.play()
    finally:
        if collecting:
            gc.enable()
    return org


def add_twin(
    org: Org, world: World, contact: HubspotRow, *, object_: Person = "Lead", linked: bool = True, seed: int = 7
) -> Row:
    """A Lead or Contact for one more HubSpot contact, with its acts; stamped now, as is a contact that gets a link."""
    stage = _Stage(org, diary(org))
    done = _seen_by_hubspot(world)[contact.id]
    kind = Kind(object_, linked=linked)
    row = _add_twin(stage, counterparts(org, world), _random(seed, contact.id), contact, done, kind)
    stage.play()
    org.change(object_, row, {})
    if linked:
        world.edit("contacts", contact.id, {})
    return row


def add_person(org: Org, number: int, seed: int = 7, character: str = "", object_: Person = "Lead") -> Row:
    """One more person only Salesforce knows, stamped now; ``number`` is one nobody else was made with."""
    stage = _Stage(org, diary(org))
    lent = counterparts(org, _lender(org, 40, seed))
    row = _add_own(stage, lent, _random(seed, number), number, character, Kind(object_, linked=False))
    stage.play()
    org.change(object_, row, {})
    return row


def _lender(org: Org, people: int, seed: int) -> World:
    """A portal that lends its companies and owners to people it does not know; they are those of ``make_world``."""
    world = World(org.clock)
    add_companies(world, people, seed)
    return world


def _random(seed: int, number: int) -> Random:
    return Random(seed * 3_000_017 + number)  # noqa: S311 - repeatable people, no secret


def _in_both(world: World, people: int, seed: int, share: float) -> list[HubspotRow]:
    """Which contacts Salesforce knows too, in the order of their ids; the first of each character among them."""
    contacts = list(world.tables["contacts"].live())
    # both = share * (contacts + people - both)
    count = min(round(share * (len(contacts) + people) / (1 + share)), len(contacts), people)
    first, others = contacts[: min(count, len(CHARACTERS))], contacts[len(CHARACTERS) :]
    drawn = _random(seed, -1).sample(others, max(0, min(count - len(first), len(others))))
    return first + sorted(drawn, key=lambda row: row.id)


def _seen_by_hubspot(world: World) -> defaultdict[int, Done]:
    """What HubSpot knows that contacts did, marketing mail and list joins left out: by contact, in no order."""
    done: defaultdict[int, Done] = defaultdict(list)
    for guid in world.forms.names:
        for submission in world.forms.submissions(guid).items():
            contact = world.contact_of(dict(submission.values).get("email", ""))
            if contact is not None:
                done[contact].append((submission.at_ms, Habit("form", guid, (1, 1), (0, 0))))
    for kind in ENGAGEMENTS:
        habit = Habit(kind.removesuffix("s"), "", (1, 1), (0, 0))
        for row in world.tables[kind].live():
            for contact in world.links[kind, "contacts"].get(row.id, ()):
                done[contact].append((parse_ms(row.now.properties["hs_timestamp"]), habit))
    return done


def _add_twin(
    stage: _Stage, parts: Counterparts, rng: Random, contact: HubspotRow, done: Done, kind: Kind | None = None
) -> Row:
    held = contact.now.properties
    kind = kind or _drawn(rng, _KINDS, held)
    now_ms = stage.org.clock.now_ms()
    created_ms = min(contact.created_ms + rng.randrange(5 * DAY_MS), now_ms - 1)
    person, named = _add(
        stage, parts, rng, kind, held, created_ms, max(contact.now.updated_ms, created_ms), sorted(done, key=_at)
    )
    if kind.linked:
        properties = {**held, LINK["Lead" if named.id.startswith("00Q") else "Contact"]: named.id}
        version = Version(properties, contact.now.updated_ms)
        parts.world.tables["contacts"].replace(contact, version, visible_ms=now_ms, now_ms=now_ms)
    return person


def _add_own(
    stage: _Stage, parts: Counterparts, rng: Random, number: int, character: str = "", kind: Kind | None = None
) -> Row:
    chosen = draw_character(rng, number, character)
    acts, created_ms, updated_ms = draw_acts(rng, chosen, stage.org.clock.now_ms())
    held = describe(parts.world, rng, number, chosen, acts)
    if "email" in held:
        # nobody in HubSpot has or will have this address
        name, _, domain = held["email"].rpartition("@")
        held["email"] = f"{name}.s{number}@{domain}"
    if kind is None:
        kind = _drawn(rng, _OWN_KINDS, held)
    done = [(at_ms, habit) for at_ms, _, habit in acts]
    return _add(stage, parts, rng, kind, held, created_ms, updated_ms, done)[0]


def _drawn(rng: Random, kinds: Mapping[Kind, int], held: Mapping[str, str]) -> Kind:
    """A kind that suits the person: sales' people are contacts, who has no address is linked."""
    shares = list(accumulate(kinds.values()))
    kind = tuple(kinds)[bisect_right(shares, rng.randrange(shares[-1]))]
    character = held.get("emulator_character", "")
    if character == "merged" and kind.fate == "plain":
        return Kind(kind.object, "merged", kind.linked)
    if character in _CONTACTS and kind.object == "Lead":
        return Kind("Contact", linked=kind.linked)
    if "email" not in held and kinds is _KINDS and not kind.linked:
        return Kind(kind.object)
    return kind


def _add(
    stage: _Stage,
    parts: Counterparts,
    rng: Random,
    kind: Kind,
    held: Mapping[str, str],
    created_ms: int,
    updated_ms: int,
    done: Done,
) -> tuple[Row, Row]:
    """The record a person has, and the one a link to them names, which may be gone."""
    org = stage.org
    created_ms, updated_ms = created_ms // 1000 * 1000, updated_ms // 1000 * 1000
    values = parts.of_person(kind.object, held, updated_ms)
    if day := last_day(done, org.clock.now_ms()):
        values["LastActivityDate"] = day
    if rng.random() < 0.02:
        values["IndividualId"] = _individual(org, held, opted_out=rng.random() < 0.5)

    def add(object_: Person, values: Mapping[str, Any]) -> Row:
        return org.create(object_, values, created_ms=created_ms, stamp_ms=updated_ms)

    if kind.fate == "converted":
        lead = add("Lead", parts.of_person("Lead", held, updated_ms))
        person = org.convert(lead.id, contact=add("Contact", values).id, account=values.get("AccountId", ""))
        lead.values = {**lead.values, "ConvertedDate": shown(updated_ms)[:10]}
        _stamp(org, updated_ms, ("Lead", lead), ("Contact", person), ("Account", _account(org, person)))
        named = lead if rng.random() < 0.5 else person
    else:
        person = add(kind.object, values)
        named = person
    if kind.fate == "merged":
        loser = add(kind.object, {**values, "Title": "Unknown"})
        org.merge(kind.object, person.id, loser.id)
        _stamp(org, updated_ms, (kind.object, person), (kind.object, loser))
        named = loser if rng.random() < 0.5 else person
    elif kind.fate == "double":
        add("Lead", {**parts.of_person("Lead", held, updated_ms), "LeadSource": "Purchased List"})
    elif kind.fate == "deleted":
        org.delete(kind.object, person.id)
        _stamp(org, updated_ms, (kind.object, person))
        return person, named
    stage.acts.append((person, done, rng))
    return person, named


def _individual(org: Org, held: Mapping[str, str], *, opted_out: bool) -> str:
    values = {
        "FirstName": held.get("firstname"),
        "LastName": held.get("lastname", "Unknown"),
        "HasOptedOutProfiling": opted_out,
    }
    at_ms = org.now_ms() - 200 * DAY_MS
    return org.create("Individual", values, created_ms=at_ms, stamp_ms=at_ms).id


def _account(org: Org, contact: Row) -> Row:
    return org.rows["Account"][contact.values["AccountId"]]


def _stamp(org: Org, at_ms: int, *rows: tuple[str, Row]) -> None:
    """Moves the stamps of what happened just now to when it happened in this story."""
    now_ms = org.now_ms()
    for _, row in rows:
        if row.stamp_ms == now_ms:
            row.stamp_ms = at_ms
        row.created_ms = min(row.created_ms, at_ms)


def _at(done: tuple[int, Habit]) -> int:
    return done[0]
