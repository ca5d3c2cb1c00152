"""Golden cases run by the real core, and what each missed. Only the config is read, no store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.golden import GoldenCase
from config.golden_checks import SCORED
from config.settings import Settings
from connectors.base import Value
from scoring.compile import compile_model
from scoring.conditions import Condition, evaluator, parse_condition
from scoring.tables import Tables
from sync.answers.living import Seen, Touchpoints, life_of, live
from sync.store.values import day_number


@dataclass(frozen=True, kw_only=True)
class Miss:
    """An expectation that does not hold."""

    #: days after the case's own
    days: int
    #: as it is written
    wanted: Mapping[str, Any]
    #: the outputs it reads, as they are
    found: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A case that was run; it passes when nothing is missed."""

    name: str
    model: str
    #: days after the case's own -> what was seen
    seen: Mapping[int, Seen]
    misses: Sequence[Miss]


def run_cases(settings: Settings, cases: Mapping[str, GoldenCase]) -> list[Tested]:
    """Each case run by its model, in their order."""
    found: dict[str, Tested] = {}
    for model in settings.models:
        mine = {name: case for name, case in cases.items() if (case.model or settings.primary) == model}
        if mine:
            found |= _run(settings, model, mine)
    return [found[name] for name in cases]


def _run(settings: Settings, model: str, cases: Mapping[str, GoldenCase]) -> dict[str, Tested]:
    known = Touchpoints()
    named = settings.models[model].facts_read()
    lives = [life_of(case, settings.tables, named, settings.time_zone, known) for case in cases.values()]
    compiled = compile_model(settings.models[model], known.all(), settings.tables, settings.time_zone)
    lived = live(compiled, lives, settings.retention.activities_days)
    return {
        name: Tested(name=name, model=model, seen=seen, misses=_missed(case, seen, settings.tables))
        for (name, case), seen in zip(cases.items(), lived, strict=True)
    }


def _missed(case: GoldenCase, seen: Mapping[int, Seen], tables: Tables) -> list[Miss]:
    return [
        Miss(days=after, wanted=wanted, found={name: values.get(name) for name in sorted(condition.names())})
        for after, wish in case.expected.items()
        for values in [{**seen[after].outputs, SCORED: seen[after].ledger is not None}]
        for wanted, condition in _parts(wish)
        if not evaluator(condition, tables)(
            {name: value for name, value in values.items() if value is not None}, day_number(seen[after].on)
        )
    ]


def _parts(wish: Condition) -> list[tuple[dict[str, Any], Condition]]:
    """What stands side by side in an expectation, as it is written and as a condition."""
    return [({name: test}, parse_condition({name: test})) for name, test in wish.raw.items()]
