"""A model with the touchpoints that exist, compiled into the arrays the kernel reads.

Rules match touchpoints here, once, and never activities. All points are micro-points, all spans days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from scoring.bands import Bands
from scoring.bots import CompiledBots, compile_bots
from scoring.conditions import Holds, evaluator
from scoring.decay import decay_table
from scoring.digests import digest_of, model_digest
from scoring.model import Rule, ScoringModel
from scoring.patterns import CompiledPatterns, compile_patterns, first_and_last
from scoring.tables import Tables
from scoring.touchpoints import Entries, Ints, Touchpoint, entries_of, matching, value_of
from scoring.values import Limit, Per, micro

__all__ = ["NO_BOUND", "SCORING_VERSION", "CompiledModel", "Touchpoint", "compile_model"]

SCORING_VERSION = 3  # grows when the same inputs would give another score
NO_BOUND = 2**62  # micro-points: no sum comes near it


@dataclass(frozen=True, kw_only=True)
class CompiledVariable:
    """A fit variable."""

    name: str
    label: str
    weight: int  #: whole percents
    bands: Bands


@dataclass(frozen=True, kw_only=True)
class CompiledAdjust:
    """An adjustment of fit."""

    id: str
    label: str
    points: int  #: micro-points
    holds: Holds


@dataclass(frozen=True, kw_only=True)
class CompiledDisqualifier:
    """A disqualifier."""

    id: str
    label: str
    holds: Holds


@dataclass(frozen=True, kw_only=True)
class CompiledRule:
    """An engagement rule."""

    id: str
    group: str
    label: str
    points: Decimal
    limit: Limit | None
    interest: str = ""


@dataclass(frozen=True, kw_only=True)
class CompiledGroup:
    """A group: rules ``first`` to before ``end``, and the bounds of their net sum."""

    id: str
    label: str
    first: int
    end: int
    cap: int  #: micro-points; NO_BOUND without one
    floor: int  #: micro-points; -NO_BOUND without one


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledModel:
    """What the kernel reads. R rules, A ages, T touchpoints that some rule matches."""

    model: ScoringModel
    audience: Holds | None  #: whom the model scores; None for everybody
    variables: tuple[CompiledVariable, ...]
    adjusts: tuple[CompiledAdjust, ...]
    disqualifiers: tuple[CompiledDisqualifier, ...]
    rules: tuple[CompiledRule, ...]
    groups: tuple[CompiledGroup, ...]
    table: Ints  #: [R, A] micro-points by age; ages past the last column use it
    entries: Entries  #: owned by rules, after ``match``; the value is that of the limit's ``each`` attribute
    limits: Mapping[Per, Ints]  #: [R] by period in use: how many count, 0 for rules without such a limit
    dates: tuple[Ints, Ints] | None  #: [R] first and last day number of an activity that counts; None without any
    positive: npt.NDArray[np.bool_]  #: [T] matched by a rule with points above 0, whatever ``match``
    heard: npt.NDArray[np.bool_]  #: [T] positive, and of a kind that breaks a silence; none without silence
    instants: Ints  #: [I] the rules that qualify by themselves
    patterns: CompiledPatterns | None
    bots: CompiledBots | None
    model_digest: str
    run_digest: str


def compile_model(
    model: ScoringModel, touchpoints: Sequence[Touchpoint], tables: Tables, time_zone: str = "UTC"
) -> CompiledModel:
    """The compiled model; KeyError for a list the tables lack. ``time_zone`` only goes into the run digest."""
    rules = list(model.rules())
    matches = [matching(rule.activity, rule.where, touchpoints, tables) for _, _, rule in rules]
    taken = _after_match(model, rules, matches)
    entries = entries_of(
        [
            (point.number, index, value)
            for index, ((_, _, rule), points) in enumerate(zip(rules, taken, strict=True))
            for point, value in zip(points, _each_values(rule, points), strict=True)
        ]
    )
    positive = [
        point for (_, _, rule), points in zip(rules, matches, strict=True) if rule.points > 0 for point in points
    ]
    heard = [point for point in positive if model.silence and point.kind not in model.silence.ignore]
    own_digest = model_digest(model)
    return CompiledModel(
        model=model,
        audience=evaluator(model.audience, tables) if model.audience else None,
        variables=tuple(
            CompiledVariable(name=name, label=part.label or name, weight=part.weight, bands=part.percent)
            for name, part in model.fit.variables.items()
        ),
        adjusts=tuple(
            CompiledAdjust(id=name, label=part.label, points=micro(part.points), holds=evaluator(part.if_, tables))
            for name, part in model.fit.adjust.items()
        ),
        disqualifiers=tuple(
            CompiledDisqualifier(id=name, label=part.label, holds=evaluator(part.if_, tables))
            for name, part in model.disqualify.items()
        ),
        rules=tuple(
            CompiledRule(
                id=name,
                group=group,
                label=rule.label,
                points=rule.points,
                limit=rule.limit,
                interest=rule.interest or "",
            )
            for group, name, rule in rules
        ),
        groups=_groups(model),
        table=_table(model, [rule for _, _, rule in rules]),
        entries=entries,
        limits=_limits([rule.limit for _, _, rule in rules]),
        dates=_dates([rule for _, _, rule in rules]),
        positive=np.isin(entries.numbers, [point.number for point in positive]),
        heard=np.isin(entries.numbers, [point.number for point in heard]),
        instants=np.array([i for i, (_, name, _) in enumerate(rules) if name in model.mql.instant], dtype=np.int64),
        patterns=compile_patterns(
            model,
            touchpoints,
            tables,
            {name: points for (_, name, _), points in zip(rules, taken, strict=True)},
        ),
        bots=compile_bots(model.bots, touchpoints),
        model_digest=own_digest,
        run_digest=digest_of([own_digest, tables.digest, time_zone, SCORING_VERSION]),
    )


def _after_match(
    model: ScoringModel, rules: Sequence[tuple[str, str, Rule]], matches: Sequence[list[Touchpoint]]
) -> list[list[Touchpoint]]:
    """What each rule takes of what it matches: in a ``match: first`` group what no rule before it there matches."""
    taken: list[list[Touchpoint]] = []
    gone: dict[str, set[int]] = {name: set() for name, group in model.engagement.items() if group.match == "first"}
    for (group, _, _), points in zip(rules, matches, strict=True):
        before = gone.get(group, set())
        taken.append([point for point in points if point.number not in before])
        before.update(point.number for point in points)
    return taken


def _each_values(rule: Rule, matched: Sequence[Touchpoint]) -> list[int]:
    """For each touchpoint the value of the limit's attribute as a number; a missing one is a value of its own."""
    name = rule.limit.each if rule.limit else None
    if name is None:
        return [0] * len(matched)
    codes: dict[str, int] = {}
    return [codes.setdefault(value_of(point, name), len(codes)) for point in matched]


def _dates(rules: Sequence[Rule]) -> tuple[Ints, Ints] | None:
    days = np.array([first_and_last(rule.from_, rule.until) for rule in rules], dtype=np.int64)
    return (days[:, 0], days[:, 1]) if any(rule.from_ or rule.until for rule in rules) else None


def _limits(limits: Sequence[Limit | None]) -> dict[Per, Ints]:
    return {
        per: np.array([limit.count if limit and limit.per == per else 0 for limit in limits], dtype=np.int64)
        for per in sorted({limit.per for limit in limits if limit})
    }


def _groups(model: ScoringModel) -> tuple[CompiledGroup, ...]:
    groups: list[CompiledGroup] = []
    for name, group in model.engagement.items():
        first = groups[-1].end if groups else 0
        groups.append(
            CompiledGroup(
                id=name,
                label=group.label,
                first=first,
                end=first + len(group.rules),
                cap=NO_BOUND if group.cap is None else micro(group.cap),
                floor=-NO_BOUND if group.floor is None else micro(group.floor),
            )
        )
    return tuple(groups)


def _table(model: ScoringModel, rules: Sequence[Rule]) -> Ints:
    """The decay tables side by side, each filled up with its last column."""
    rows = [decay_table(rule.points, model.decays[rule.decay] if rule.decay else None) for rule in rules]
    ages = max(len(row) for row in rows)
    return np.array([row + row[-1:] * (ages - len(row)) for row in rows], dtype=np.int64)
