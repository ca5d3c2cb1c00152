"""The middle of a pass: who is who, then whose score has changed. One process does it at a time."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Connection, func, select

from connectors.base import FieldDefinition
from scoring.digests import model_digest
from sync.adoption import occupied, save_occupied, seed_journeys
from sync.identity import identify_some
from sync.lease import SCORE, LeaseLost, acquire
from sync.pull import first_complete_at
from sync.report import RunReport
from sync.rescore import began_at, count_stale, mark_everybody, score_stale
from sync.retention import purge
from sync.runtime import Open, Options, Runtime
from sync.score import Scoring, compiled_for
from sync.store import tables
from sync.store.store import upsert
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
    scorings = scorings_for(runtime, restored=options.adoption == "restored")
    _keep_model_text(runtime)
    if mark_everybody(runtime.store, scorings):
        with runtime.store.begin() as tx:
            purge(
                tx,
                now=micros(scorings[0].now),
                activities=timedelta(days=runtime.settings.kept_days),
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
    """What holds still while each model scores, the primary one first, from the store as it is."""
    settings, now = runtime.settings, runtime.now()
    names = sorted(settings.models, key=lambda name: (name != settings.primary, name))
    with runtime.store.begin() as tx:
        completed = {one.settings.name: first_complete_at(tx, one.settings.name) for one in runtime.connections}
        # a connection counts once all of it was read, so that nobody is scored on a part
        maps = [one.map for one in runtime.connections if completed[one.settings.name] is not None]
        ready = {
            name: compiled_for(tx, settings.models[name], settings.tables, settings.time_zone, maps) for name in names
        }
        began = {name: began_at(tx, name, micros(now)) for name in names}
    definitions = {one.settings.name: output_definitions(one) for one in runtime.connections}
    return [
        Scoring(
            compiled=compiled,
            tables=settings.tables,
            maps=maps,
            maps_digest=maps_digest,
            zone=settings.time_zone,
            now=now,
            retention=timedelta(days=settings.retention.activities_days),
            definitions=definitions,
            first_complete_at=completed,
            began_at=began[name],
            restored=restored,
        )
        for name, (compiled, maps_digest) in ready.items()
    ]


def output_definitions(one: Open) -> dict[str, dict[str, FieldDefinition]]:
    """Object of people -> our field -> its definition."""
    return {
        object_: {
            name: definition for name, definition in one.definitions.get(object_, {}).items() if name in one.map.outputs
        }
        for object_ in sorted(one.map.people)
    }


def _keep_model_text(runtime: Runtime) -> None:
    settings = runtime.settings
    for name, model in settings.models.items():
        row = {
            "digest": model_digest(model),
            "model": name,
            "text": settings.model_texts[name],
            "first_at": micros(runtime.now()),
        }
        with runtime.store.begin() as tx:
            known = tx.execute(select(func.count()).where(tables.model_text.c.digest == row["digest"])).scalar_one()
            if not known:
                upsert(tx, tables.model_text, [row])
