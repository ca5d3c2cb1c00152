"""Whom to call: the people of one model, those first who are nearest to sales.

Who comes into question is as the last pass left it; what is told of them is as of the score day. People outside the
model's audience are left out, and so is who must not be profiled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, case, exists, select

from scoring.fact_values import fold
from scoring.journey import Journey, Status
from sync.answers.explain import Explained, all_explained
from sync.people import gather
from sync.score import Scoring
from sync.store import tables
from sync.store.store import Store, in_chunks
from sync.store.values import load, plain

#: the statuses that wait for a call, the most ready first
TO_CALL: tuple[Status, ...] = ("mql", "qualifying", "recycled", "prospect", "suspect")
#: those sales is done with or has in hand; they come last, and only where they are asked for
IN_HAND: tuple[Status, ...] = ("accepted", "lost", "won", "disqualified")
#: journeys fetched at once
CHUNK = 500
#: the fact, and what the records that own others are called in the two CRMs
OWNER = "owner"
OWNERS = (OWNER, "user")


@dataclass(frozen=True, kw_only=True)
class Lead:
    """One person to call, in the order of the columns shown."""

    person: int
    #: connection:object:id, lowest number first
    records: Sequence[str]
    score: int
    tier: str
    status: Status
    since: date
    momentum: str | None
    surged_on: date | None
    #: 0 for an MQL, or where no points are missing; None where sales or a disqualifier has decided
    points_to_mql: int | None
    #: what speaks most for them, or why they are disqualified; "" for nothing
    reason: str
    summary: str
    #: id of who owns the first record that somebody owns; "" where none is known
    owner: str

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return plain(asdict(self))


def rank(
    store: Store,
    scoring: Scoring,
    *,
    statuses: Sequence[Status] = TO_CALL,
    owner: str | None = None,
    limit: int | None = None,
) -> list[Lead]:
    """The first ``limit`` people, or all: by status in the order given, then score, newest sharp rise, record number.

    ``owner``: only those with a record of this owner, named by id or by what the fact ``owner`` says.
    """
    leads: dict[int, Lead] = {}  # by person, as a worker may move them meanwhile
    for numbers in _chunks(store, scoring.model.model, statuses, None if owner is not None else limit):
        if limit is not None and len(leads) >= limit:
            break
        with store.begin() as tx:
            found = _leads(tx, numbers, scoring, owner)
            leads |= {lead.person: lead for lead in found if lead.status in statuses}
    return sorted(list(leads.values())[:limit], key=lambda lead: _order(lead, statuses))


def _chunks(store: Store, model: str, statuses: Sequence[Status], limit: int | None) -> Iterator[Sequence[int]]:
    """The candidates in chunks; a few more than asked for, as some may have left the audience, then as many again."""
    begin, end = 0, None if limit is None else limit + CHUNK
    while True:
        with store.begin() as tx:
            found = list(islice(_candidates(tx, model, statuses), begin, end))
        yield from in_chunks(found, min(limit or CHUNK, CHUNK))
        if end is None or len(found) < end - begin:
            return
        begin, end = end, 2 * end


def _leads(tx: Connection, numbers: Sequence[int], scoring: Scoring, owner: str | None) -> list[Lead]:
    owners = owners_of(tx, numbers)
    wanted = numbers if owner is None else _owned(tx, numbers, owners, owner, scoring)
    return [
        _lead(one, one.journey, owners.get(one.person, ()))
        for one in all_explained(tx, wanted, scoring)
        if one.profiled and one.ledger is not None and one.journey is not None
    ]


def _order(lead: Lead, statuses: Sequence[Status]) -> tuple[int, int, int, int]:
    surged = lead.surged_on.toordinal() if lead.surged_on else 0
    return statuses.index(lead.status), -lead.score, -surged, lead.person


def _candidates(tx: Connection, model: str, statuses: Sequence[Status]) -> Iterator[int]:
    """The persons in the order of what the last pass found."""
    journey, record = tables.journey, tables.record
    place = case({status: nth for nth, status in enumerate(statuses)}, value=journey.c.status)
    alive = exists().where(record.c.person == journey.c.person, record.c.state == "live")
    rows = tx.execute(
        select(journey.c.person, journey.c.status, journey.c.score, journey.c.journey)
        .where(journey.c.model == model, journey.c.status.in_(statuses), ~journey.c.resting, alive)
        .order_by(place, journey.c.score.desc(), journey.c.person)
        .execution_options(yield_per=CHUNK)
    )
    for _, equal in groupby(rows, key=lambda row: (row.status, row.score)):
        surges = [(load(row.journey).get("surged_on") or "", row.person) for row in equal]
        yield from (person for _, person in sorted(surges, key=lambda pair: pair[0], reverse=True))


def owners_of(tx: Connection, persons: Sequence[int]) -> dict[int, list[str]]:
    """Person -> ids of the owners of their live records, lowest record number first."""
    record, parent = tables.record, tables.parent
    found: dict[int, list[str]] = {}
    for some in in_chunks(persons):
        rows = tx.execute(
            select(record.c.person, parent.c.crm_id)
            .join(parent, parent.c.record == record.c.number)
            .where(record.c.person.in_(some), record.c.state == "live", parent.c.object.in_(OWNERS))
            .order_by(record.c.number)
        )
        for row in rows:
            found.setdefault(row.person, []).append(row.crm_id)
    return found


def _owned(
    tx: Connection, numbers: Sequence[int], owners: Mapping[int, Sequence[str]], owner: str, scoring: Scoring
) -> list[int]:
    wanted = fold(owner)
    return [
        person.number
        for person in gather(tx, numbers, scoring.maps, scoring.zone)
        if fold(str(person.facts.values.get(OWNER, ""))) == wanted
        or wanted in (fold(id_) for id_ in owners.get(person.number, ()))
    ]


def _lead(one: Explained, journey: Journey, owners: Sequence[str]) -> Lead:
    told = one.outputs
    summary = str(told["summary"] or "")
    entered = journey.mql_since if journey.status == "mql" else None
    return Lead(
        person=one.person,
        records=[f"{record.connection}:{record.object}:{record.crm_id}" for record in one.records],
        score=int(str(told["score"])),
        tier=str(told["tier"]),
        status=journey.status,
        since=entered or journey.since,
        momentum=str(told["momentum"]) if told["momentum"] else None,
        surged_on=journey.surged_on,
        points_to_mql=None if told["points_to_mql"] is None else int(str(told["points_to_mql"])),
        reason=str(told["disqualified_by"] or "") or "".join(summary.split(" · ", 3)[3:]),
        summary=summary,
        owner=owners[0] if owners else "",
    )
