"""A portal full of made-up people of known character, the same for the same arguments.

The first people are one of each character, in the order of ``CHARACTERS``; the others are drawn by their shares. There
is one company to four people. A person is first described, in HubSpot's words; each CRM takes it from there.
"""

import gc
from bisect import bisect_right
from datetime import datetime
from itertools import accumulate
from random import Random

from connectors.emulator import words
from connectors.emulator.characters import BY_NAME, CHARACTERS, DEALS, Character, Habit
from connectors.emulator.clock import DAY_MS, EmulatorClock, iso
from connectors.emulator.habits import act
from connectors.emulator.hubspot.deals import open_deal
from connectors.emulator.hubspot.definitions import INDUSTRIES
from connectors.emulator.hubspot.merging import merge
from connectors.emulator.hubspot.rows import FIRST_ID, Change, Row
from connectors.emulator.hubspot.world import World

_SHARES = tuple(accumulate(character.share for character in CHARACTERS))
_YEAR_DAYS = 365
TRIAL = "103"
#: what became of a deal -> its stage
_STAGES = {"won": "closedwon", "open": "contractsent", "lost": "closedlost"}
#: (instant in ms, place of the habit, habit)
Act = tuple[int, int, Habit]


def make_world(people: int = 2000, seed: int = 7, *, now: datetime) -> World:
    """A portal of that many contacts (two merged ones count once) whose last year ends at ``now``, aware."""
    world = World(EmulatorClock(now))
    # millions of small tuples and no cycle: the collector would only walk them again and again
    collecting = gc.isenabled()
    gc.disable()
    try:
        add_companies(world, people, seed)
        for number in range(people):
            add_person(world, number, seed)
    finally:
        if collecting:
            gc.enable()
    return world


def add_companies(world: World, people: int, seed: int = 7) -> None:
    """The companies of that many people."""
    for number in range(max(1, people // 4)):
        _add_company(world, number, seed)


def add_person(world: World, number: int, seed: int = 7, character: str = "") -> Row:
    """One more contact with up to a year of history; the character is drawn when it is not named."""
    rng = Random(seed * 1_000_003 + number)  # noqa: S311 - repeatable people, no secret
    chosen = draw_character(rng, number, character)
    row = _one(world, rng, number, chosen)
    if chosen.name == "merged":
        other = _one(world, rng, number, chosen)
        at_ms = max(row.now.updated_ms, other.now.updated_ms)
        row = merge(world, "contacts", row, other, at_ms=min(at_ms + DAY_MS, world.clock.now_ms()))
    _add_deal(world, row, number, seed)
    return row


def draw_character(rng: Random, number: int, name: str = "") -> Character:
    """The character of that name, of one of the first people, or one drawn by its share."""
    if name:
        return BY_NAME[name]
    if number < len(CHARACTERS):
        return CHARACTERS[number]
    return CHARACTERS[bisect_right(_SHARES, rng.randrange(_SHARES[-1]))]


def draw_acts(rng: Random, character: Character, now_ms: int) -> tuple[list[Act], int, int]:
    """What a person of a character does, in the order of time; when its record was made and last touched."""
    acts = sorted(
        (now_ms - int(rng.uniform(*habit.days) * DAY_MS), place, habit)
        for place, habit in enumerate(character.habits)
        for _ in range(rng.randint(*habit.times))
    )
    first_ms = min(acts[0][0], now_ms) if acts else now_ms - rng.randrange(_YEAR_DAYS * DAY_MS)
    created_ms = first_ms - rng.randrange(30 * DAY_MS)
    updated_ms = max((at_ms for at_ms, _, _ in acts if at_ms <= now_ms), default=created_ms)
    return acts, created_ms, updated_ms


def _one(world: World, rng: Random, number: int, character: Character) -> Row:
    now_ms = world.clock.now_ms()
    acts, created_ms, updated_ms = draw_acts(rng, character, now_ms)
    properties = describe(world, rng, number, character, acts)
    row = world.create("contacts", properties, created_ms=created_ms, updated_ms=updated_ms)
    _remember(row, character, now_ms - int(rng.uniform(*character.status_days) * DAY_MS))
    for at_ms, _, habit in acts:
        act(world, rng, habit, at_ms, row.id, properties)
    if character.name == "unsubscribed":
        world.mail.add("STATUSCHANGE", properties["email"], next(iter(world.mail.campaigns)), updated_ms)
    return row


def describe(world: World, rng: Random, number: int, character: Character, acts: list[Act]) -> dict[str, str]:
    """HubSpot's properties of a person: works at one of the world's companies, has an address nobody in it has."""
    accented = character.name == "accented_name" or rng.random() < 0.03
    first, first_ascii = rng.choice(words.ACCENTED_FIRST if accented else words.FIRST)
    last, last_ascii = rng.choice(words.ACCENTED_LAST if accented else words.LAST)
    company = rng.randrange(len(world.tables["companies"].rows))
    found = world.tables["companies"].find(FIRST_ID + company)
    properties = {
        "firstname": first,
        "lastname": last,
        "jobtitle": rng.choice(character.titles),
        "lifecyclestage": rng.choice(character.stages),
        "hs_lead_status": character.lead_status,
        "country": rng.choice(words.COUNTRIES),
        "emulator_character": character.name,
    }
    domain = rng.choice(character.domains) if character.domains else ""
    if found and domain in ("", "company"):
        held = found.now.properties
        properties["associatedcompanyid"] = str(found.id)
        properties["company"] = held["name"]
        properties["country"] = held["country"]
        properties["industry"] = held["industry"].replace("_", " ").capitalize()
        domain = domain and held["domain"]
    if domain:
        plain = f"{first_ascii}.{last_ascii}"
        free = world.contact_of(f"{plain}@{domain}") is None
        properties["email"] = f"{plain}@{domain}" if free else f"{plain}.{number}@{domain}"
        if world.contact_of(properties["email"]) is not None:
            properties["email"] = f"{plain}.{number}.2@{domain}"
    if character.owned:
        properties["hubspot_owner_id"] = rng.choice(tuple(world.owners))
    if rng.random() < character.need:
        properties["need_date"] = iso(world.clock.now_ms() + rng.randrange(-20, 120) * DAY_MS)[:10]
    if rng.random() < character.budget:
        properties["budget"] = str(rng.randrange(5, 200) * 1000)
    if character.name == "unsubscribed":
        properties["hs_email_optout"] = "true"
    if character.name == "hard_bounce":
        properties["hs_email_hard_bounce_reason_enum"] = "UNKNOWN_USER"
    trial_ms = next((at_ms for at_ms, _, habit in acts if habit.what == TRIAL), None)
    if trial_ms is not None:
        properties["trial_started"] = iso(trial_ms)
    return {name: value for name, value in properties.items() if value}


def _add_deal(world: World, contact: Row, number: int, seed: int) -> None:
    """The deal a contact is part of, if any; not drawn with the person, who is the same with and without it."""
    held = contact.now.properties
    chance, became, days = DEALS.get(held["emulator_character"], (0.0, "open", (0, 1)))
    rng = Random(seed * 9_000_011 + number)  # noqa: S311 - repeatable deals, no secret
    if rng.random() >= chance:
        return
    now_ms = world.clock.now_ms()
    closes_ms = now_ms + rng.randrange(*days) * DAY_MS
    values = {
        "dealname": f"{held['lastname']}: first order",
        "dealstage": _STAGES[became],
        "closedate": iso(closes_ms),
        "amount": str(rng.randrange(5, 120) * 1000),
    }
    changed_ms = min(closes_ms, now_ms - DAY_MS)
    open_deal(world, [contact.id], values, created_ms=changed_ms - 40 * DAY_MS, updated_ms=changed_ms)


def _remember(row: Row, character: Character, status_ms: int) -> None:
    """Gives the row the history of what sales and marketing did with it."""
    at_ms = max(status_ms, row.created_ms)
    if character.lead_status:
        row.history["hs_lead_status"] = [
            Change("NEW", row.created_ms, "IMPORT"),
            Change(character.lead_status, at_ms, "CRM_UI"),
        ]
    if character.stages[0] in ("salesqualifiedlead", "customer"):
        row.history["lifecyclestage"] = [
            Change("lead", row.created_ms, "IMPORT"),
            Change(character.stages[0], at_ms, "CRM_UI"),
        ]


def _add_company(world: World, number: int, seed: int) -> None:
    rng = Random(seed * 7_000_003 + number)  # noqa: S311 - repeatable companies, no secret
    word = words.COMPANIES[number % len(words.COMPANIES)]
    domain = f"{word.lower().replace(' ', '-')}-{number:04d}.example"
    if number < len(words.TARGETS):
        domain = words.TARGETS[number]
    employees = rng.choice((8, 25, 60, 120, 240, 480, 900, 2400, 12_000)) + rng.randrange(8)
    properties = {
        "name": f"{word} {number}",
        "domain": domain,
        "industry": rng.choice(INDUSTRIES),
        "numberofemployees": str(employees),
        "annualrevenue": str(employees * rng.randrange(60, 260) * 1000),
        "country": rng.choice(words.COUNTRIES),
    }
    created_ms = world.clock.now_ms() - rng.randrange(400, 600) * DAY_MS
    updated_ms = created_ms + rng.randrange(300 * DAY_MS)
    world.create("companies", properties, created_ms=created_ms, updated_ms=updated_ms)
