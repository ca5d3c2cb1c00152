"""``catalog``, ``coverage`` and ``rank``: everybody at once, by what the store holds."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from config.settings import Settings
from scoring.journey import Status
from scoring.mistakes import nearest
from sync.answers.catalog import catalog as catalog_of
from sync.answers.catalog import everybody
from sync.answers.coverage import coverage as coverage_of
from sync.answers.explain import names_of, scoring_of
from sync.answers.ranking import IN_HAND, TO_CALL
from sync.answers.ranking import rank as leads_of
from sync.app import clock
from sync.approving import in_force
from sync.cli import exits, show_catalog, show_coverage, show_rank
from sync.cli.exits import CommandError
from sync.cli.opening import Where, print_json, revealing, settings_of, stdout, store_of, typed
from sync.cli.progress import Bar, Lines, shown
from sync.people import Person
from sync.score import Scoring
from sync.store.store import Store

#: people ``rank`` shows unless told otherwise
FIRST = 50


def catalog(where: Where, *, kind: str | None, as_json: bool) -> int:
    """Shows what there is; of one kind of activity alone when it is named."""
    settings = settings_of(where)
    with store_of(settings) as store, shown() as progress:
        scorings = _scorings(store, settings, where)
        people = [] if kind else everybody(store, scorings)
        found = catalog_of(store, scorings, _told(people, progress))
    if kind is not None:
        known = [one.kind for one in found.kinds]
        if kind not in known:
            raise CommandError(f"--kind: nobody has an activity of kind {kind!r}; {nearest(kind, known)}")
        found = found.of_kind(kind)
    if as_json:
        print_json(found.to_json())
    else:
        show_catalog.catalog(stdout(), found, every=kind is not None)
    return exits.OK


def coverage(where: Where, *, limit: int, as_json: bool) -> int:
    """Shows what the models do not see."""
    settings = settings_of(where)
    with store_of(settings) as store, shown() as progress:
        scorings = _scorings(store, settings, where)
        found = coverage_of(store, scorings, _told(everybody(store, scorings), progress), limit)
    if as_json:
        print_json(found.to_json())
    else:
        show_coverage.coverage(stdout(), found, scorings[0].day)
    return exits.OK


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom ``rank`` is asked for."""

    #: None = by the primary one
    model: str | None
    status: str | None
    #: CRM id or address
    owner: str | None
    #: None = FIRST, or all with ``everybody``
    limit: int | None
    #: also those sales has in hand or is done with
    everybody: bool

    def statuses(self) -> tuple[Status, ...]:
        """The statuses asked for, in their order; a CommandError for one there is not."""
        known = (*TO_CALL, *IN_HAND)
        if self.status is None:
            return known if self.everybody else TO_CALL
        found = tuple(one for one in known if one == self.status.casefold())
        if not found:
            raise CommandError(
                f"--status: no status {self.status!r}; {nearest(self.status.casefold(), known)}", exits.USAGE
            )
        return found


def rank(where: Where, asked: Asked, *, form: Literal["text", "csv", "json"], reveal: bool) -> int:
    """Shows whom to call."""
    settings, statuses, with_names = settings_of(where), asked.statuses(), revealing(asked=reveal)
    if asked.model is not None and asked.model not in settings.models:
        raise CommandError(
            f"--model: there is no model {asked.model!r}; {nearest(asked.model, settings.models)}", exits.USAGE
        )
    limit = asked.limit or (None if asked.everybody else FIRST)
    with store_of(settings) as store:
        with store.begin() as tx:
            scoring = scoring_of(tx, settings, clock()(), asked.model)
        leads = leads_of(store, scoring, statuses=statuses, owner=asked.owner, limit=limit)
        with store.begin() as tx:
            names = names_of(tx, [lead.person for lead in leads], scoring.maps, scoring.zone) if with_names else {}
    if form == "json":
        print_json(
            {
                "model": scoring.model.model,
                "day": scoring.day,
                "people": [lead.to_json() | ({"name": names.get(lead.person)} if with_names else {}) for lead in leads],
            }
        )
    elif form == "csv":
        show_rank.as_csv(sys.stdout, leads, [connection.name for connection in settings.connections], names)
    else:
        show_rank.rank(stdout(), leads, scoring.day, names)
    return exits.OK


def _scorings(store: Store, settings: Settings, where: Where) -> list[Scoring]:
    """All models in force, the primary one first; a CommandError before any connection was read once as a whole."""
    now = clock()()
    with store.begin() as tx:
        found = [scoring_of(tx, settings, now, name) for name in in_force(tx, settings)]
    if not found[0].maps:
        raise CommandError(f"no connection was read as a whole yet; run a pass first: {typed('plan', where)}")
    return found


def _told(people: Iterable[Sequence[Person]], progress: Bar | Lines) -> Iterator[Sequence[Person]]:
    """The people, with the progress moving on."""
    progress.phase("people", None)
    for chunk in people:
        yield chunk
        progress.advance(len(chunk))
