"""``explain`` and ``timeline``: one person, found by address or id."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypedDict

from scoring.values import parse_day
from sync.answers.explain import explained, records_of, scoring_of
from sync.answers.happenings import happenings
from sync.answers.past import Past, past
from sync.app import clock
from sync.cli import exits, show_past, show_person
from sync.cli.exits import CommandError
from sync.cli.opening import Where, model_of, print_json, revealing, settings_of, stdout, store_of, typed
from sync.cli.show import short_id
from sync.people import find
from sync.store.store import Store

STDIN = "-"


class _Days(TypedDict):
    on: date
    since: date | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which model, and which days."""

    model: str | None = None
    on: date | None = None
    since: date | None = None


def day_of(option: str, text: str | None) -> date | None:
    """The day that was typed; a CommandError for what is none."""
    if text is None:
        return None
    try:
        return parse_day(text)
    except ValueError as wrong:
        raise CommandError(f"{option}: {wrong}", exits.USAGE) from None


def explain(where: Where, who: str, asked: Asked, *, reveal: bool, as_json: bool) -> int:
    """Shows the one person; with several a CommandError names their records."""
    settings, shown = settings_of(where), revealing(asked=reveal)
    model = model_of(settings, asked.model)
    with store_of(settings) as store:
        number = one_person(store, who, where)
        with store.begin() as tx:
            scoring = scoring_of(tx, settings, clock()(), model)
            if asked.on or asked.since:
                return _another_day(past(tx, number, scoring, **_days(asked, scoring.day)), as_json=as_json)
            found = explained(tx, number, scoring)
    if as_json:
        print_json(found.to_json(reveal=shown))
    else:
        show_person.person(stdout(), found, reveal=shown)
    return exits.OK


def _days(asked: Asked, today: date) -> _Days:
    on = asked.on or today
    if asked.since is not None and asked.since >= on:
        raise CommandError(f"--since {asked.since} is not before {on}; name an earlier day", exits.USAGE)
    return {"on": on, "since": asked.since}


def _another_day(found: Past, *, as_json: bool) -> int:
    if as_json:
        print_json(found.to_json())
    else:
        show_past.past(stdout(), found)
    return exits.OK


def timeline(where: Where, who: str, *, model: str | None, newest: int | None, as_json: bool) -> int:
    """Shows the one person's newest activities."""
    settings = settings_of(where)
    name = model_of(settings, model)
    with store_of(settings) as store:
        number = one_person(store, who, where)
        with store.begin() as tx:
            wanted = None if newest is None else newest + 1  # one more tells whether there are more
            found = happenings(tx, number, scoring_of(tx, settings, clock()(), name), wanted)
            records = records_of(tx, [number])[number]
    if as_json:
        print_json({"person": number, "records": records, "activities": [one.to_json() for one in found[:newest]]})
    else:
        show_person.timeline(stdout(), records, found[:newest], more=len(found) > len(found[:newest]))
    return exits.OK


def one_person(store: Store, who: str, where: Where) -> int:
    """The person's number; what was typed may be personal, so no message repeats it."""
    wanted = sys.stdin.readline().strip() if who == STDIN else who
    if not wanted:
        raise CommandError("nobody was named: give an e-mail address, a CRM id or connection:id", exits.USAGE)
    with store.begin() as tx:
        numbers = find(tx, wanted)
        records = records_of(tx, numbers)
    alive = [number for number in numbers if records[number]]
    if not alive:
        raise CommandError(_nobody(numbers, where))
    if len(alive) > 1:
        raise CommandError(_several([records[number] for number in alive]))
    return alive[0]


def _nobody(numbers: Sequence[int], where: Where) -> str:
    if numbers:
        return "this person's records are deleted in the CRM"
    return (
        "nobody has this address or id in the store; is it the id of a contact, and was it pulled? "
        f"See {typed('status', where)}"
    )


def _several(persons: Sequence[Sequence[str]]) -> str:
    listed = "\n".join("  " + ", ".join(short_id(record) for record in records) for records in persons)
    return f"{len(persons)} persons answer to this; name one record as connection:id:\n{listed}"
