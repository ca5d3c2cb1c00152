"""The middle of a pass: who is who, then whose score has changed. One process does it at a time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from config.settings import Settings
from connectors.base import FieldDefinition
from scoring.model import ScoringModel
from scoring.trend import look_back
from sync.adoption import occupied, save_occupied, seed_journeys
from sync.approving import NotApprovedError, in_force, keep_texts, reported
from sync.beginnings import began_at, first_complete_at
from sync.identity import identify_some
from sync.lease import SCORE, LeaseLost, acquire
from sync.mapping import ConnectionMap, digest
from sync.report import RunReport
from sync.rescore import count_stale, mark_everybody, score_stale
from sync.retention import purge
from sync.runtime import Open, Options, Runtime
from sync.score import Scoring, compiled_for
from sync.store.values import micros
from sync.turn import Turn

log = structlog.get_logger()


def identify_and_score(runtime: Runtime, pulled: Sequence[Turn], report: RunReport, options: Options) -> bool:
    """Who is who, then scores; left to the other process when one does it already. False: nothing may be written."""
    with runtime.store.begin() as tx:
        held = acquire(tx, SCORE, runtime.owner, runtime.now())
    if held is None:
        return True

    def renew(tx: Connection) -> None:
        held.renew(tx, runtime.now())

    try:
        _identify(runtime, renew)
        if not _adopt(runtime, pulled, options):
            return False
        _score(runtime, pulled, report, options, renew)
    except NotApprovedError as error:
        for turn in pulled:
            turn.report.settle("needs_approval", str(error))
        log.error("nothing is scored", reason=str(error))  # noqa: TRY400 - the message says it all
        return False
    except LeaseLost:
        log.warning("scoring taken over by another process")
    finally:
        with runtime.store.begin() as tx:
            held.release(tx, runtime.now())
    return True


def _identify(runtime: Runtime, renew: Callable[[Connection], None]) -> None:
    runtime.progress.phase("identify", None)
    while not runtime.stop():
        with runtime.store.begin() as tx:
            done = identify_some(tx)
            renew(tx)
        if not done:
            return
        runtime.progress.advance(done)


def _adopt(runtime: Runtime, pulled: Sequence[Turn], options: Options) -> bool:
    """An empty store that finds our fields filled asks first; False stops the pass before scoring."""
    with runtime.store.begin() as tx:
        filled = {turn.name: occupied(tx, turn.one.map) for turn in pulled}
        if not any(filled.values()):
            return True
        if options.adoption == "ask":
            for turn in pulled:
                turn.report.state = "needs_adoption"
                turn.report.reason = (
                    f"the store is empty, but {filled[turn.name]} records hold values in our fields. If another tool "
                    "wrote them: leadmark sync --adopt (they are saved, then replaced). If we did and the store was "
                    "lost: leadmark sync --restored"
                )
            return False
        now = micros(runtime.now())
        for turn in pulled:
            save_occupied(tx, turn.one.map, now)
        if options.adoption == "restored":
            for model in runtime.settings.models:
                seed_journeys(tx, [turn.one.map for turn in pulled], model, now)
    return True


def _score(
    runtime: Runtime,
    pulled: Sequence[Turn],
    report: RunReport,
    options: Options,
    renew: Callable[[Connection], None],
) -> None:
    report.models = reported(runtime.settings)
    with runtime.store.begin() as tx:
        keep_texts(tx, runtime.settings, in_force(tx, runtime.settings), micros(runtime.now()))
    scorings = scorings_for(runtime, restored=options.adoption == "restored")
    if mark_everybody(runtime.store, scorings):
        looks_back = max(days for scoring in scorings for days in look_back(scoring.model))
        kept_days = max(runtime.settings.kept_days, runtime.settings.retention.activities_days + looks_back)
        with runtime.store.begin() as tx:
            purge(
                tx,
                now=micros(scorings[0].now),
                activities=timedelta(days=kept_days),
                gone=timedelta(days=runtime.settings.retention.gone_days),
            )
            renew(tx)
    runtime.progress.phase("score", count_stale(runtime.store))
    report.scored = score_stale(
        runtime.store, scorings, stop=runtime.stop, on_chunk=runtime.progress.advance, renew=renew
    )
    for turn in pulled:
        turn.report.scored = report.scored


def scorings_for(runtime: Runtime, *, restored: bool = False) -> list[Scoring]:
    """What holds still while each model in force scores, the primary one first, from the store as it is."""
    with runtime.store.begin() as tx:
        return scorings_by(
            tx,
            runtime.settings,
            {name: one.model for name, one in in_force(tx, runtime.settings).items()},
            [one.map for one in runtime.connections],
            {one.settings.name: output_definitions(one) for one in runtime.connections},
            runtime.now(),
            restored=restored,
        )


def scorings_by(
    tx: Connection,
    settings: Settings,
    models: Mapping[str, ScoringModel],
    maps: Sequence[ConnectionMap],
    definitions: Mapping[str, Mapping[str, Mapping[str, FieldDefinition]]],
    now: datetime,
    *,
    restored: bool = False,
) -> list[Scoring]:
    """What holds still while these models score, in their order, with the maps of all connections.

    ``definitions``: connection -> object -> our field -> its definition.
    """
    completed = {map_.connection: first_complete_at(tx, map_.connection) for map_ in maps}
    # a connection counts once all of it was read, so that nobody is scored on a part
    whole = [map_ for map_ in maps if completed[map_.connection] is not None]
    found = []
    began = began_at(tx, {name: _audience(one, settings.tables.lists) for name, one in models.items()}, micros(now))
    for name, model in models.items():
        compiled, maps_digest = compiled_for(tx, model, settings.tables, settings.time_zone, whole)
        found.append(
            Scoring(
                compiled=compiled,
                tables=settings.tables,
                maps=whole,
                maps_digest=maps_digest,
                zone=settings.time_zone,
                now=now,
                retention=timedelta(days=settings.retention.activities_days),
                definitions=definitions,
                first_complete_at=completed,
                began_at=began[name],
                restored=restored,
            )
        )
    return found


def _audience(model: ScoringModel, lists: Mapping[str, frozenset[str]]) -> str:
    """Whom the model scores, as a digest: another one begins anew, so that whom it lets in is no news."""
    audience = model.audience
    if audience is None:
        return ""
    return digest([repr(audience.raw), [[name, sorted(lists[name])] for name in sorted(audience.lists())]])


def output_definitions(one: Open) -> dict[str, dict[str, FieldDefinition]]:
    """Object of people -> our field -> its definition."""
    return {
        object_: {
            name: definition for name, definition in one.definitions.get(object_, {}).items() if name in one.map.outputs
        }
        for object_ in sorted(one.map.people)
    }
