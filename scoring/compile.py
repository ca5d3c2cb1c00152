"""A model with the touchpoints that exist, compiled into the arrays the kernel reads.

Rules match touchpoints here, once, and never activities. All points are micro-points, all spans days.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from scoring.bands import Bands
from scoring.conditions import Attributes, Holds, evaluator, matcher
from scoring.decay import decay_table
from scoring.digests import digest_of, model_digest
from scoring.fact_values import fold
from scoring.model import Rule, ScoringModel
from scoring.tables import Tables
from scoring.values import Limit, Per, micro

SCORING_VERSION = 1  # grows when the same inputs would give another score
NO_BOUND = 2**62  # micro-points: no sum comes near it

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Touchpoint:
    """One distinct kind of contact: an activity kind with the attributes that are kept, each an id and a label."""

    number: int  #: what its activities carry; numbers may have holes
    kind: str
    attributes: Attributes


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
    """What the kernel reads. R rules, A ages, T touchpoints that some rule matches, E pairs of touchpoint and rule.

    The rules of touchpoint ``numbers[t]`` are the entries ``starts[t]`` to before ``starts[t + 1]``, ascending by rule.
    """

    model: ScoringModel
    variables: tuple[CompiledVariable, ...]
    adjusts: tuple[CompiledAdjust, ...]
    disqualifiers: tuple[CompiledDisqualifier, ...]
    rules: tuple[CompiledRule, ...]
    groups: tuple[CompiledGroup, ...]
    table: Ints  #: [R, A] micro-points by age; ages past the last column use it
    numbers: Ints  #: [T] ascending
    starts: Ints  #: [T + 1]
    entry_rule: Ints  #: [E]
    entry_value: Ints  #: [E] the value of the limit's ``each`` attribute, as a number; 0 without one
    limits: Mapping[Per, Ints]  #: [R] by period in use: how many count, 0 for rules without such a limit
    positive: npt.NDArray[np.bool_]  #: [T] matched by a rule with points above 0
    model_digest: str
    run_digest: str


def compile_model(
    model: ScoringModel, touchpoints: Sequence[Touchpoint], tables: Tables, time_zone: str = "UTC"
) -> CompiledModel:
    """The compiled model; KeyError for a list the tables lack. ``time_zone`` only goes into the run digest."""
    rules = list(model.rules())
    matches = [_matching(rule, touchpoints, tables) for _, _, rule in rules]
    entries = sorted(
        (touchpoint.number, index, value)
        for index, ((_, _, rule), matched) in enumerate(zip(rules, matches, strict=True))
        for touchpoint, value in zip(matched, _each_values(rule, matched), strict=True)
    )
    entry_number = np.array([entry[0] for entry in entries], dtype=np.int64)
    numbers, starts = np.unique(entry_number, return_index=True)
    entry_rule = np.array([entry[1] for entry in entries], dtype=np.int64)
    rewarding = np.array([rule.points > 0 for _, _, rule in rules], dtype=np.bool_)[entry_rule]
    own_digest = model_digest(model)
    return CompiledModel(
        model=model,
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
            CompiledRule(id=name, group=group, label=rule.label, points=rule.points, limit=rule.limit)
            for group, name, rule in rules
        ),
        groups=_groups(model),
        table=_table(model, [rule for _, _, rule in rules]),
        numbers=numbers,
        starts=np.append(starts, len(entries)).astype(np.int64),
        entry_rule=entry_rule,
        entry_value=np.array([entry[2] for entry in entries], dtype=np.int64),
        limits=_limits([rule.limit for _, _, rule in rules]),
        positive=np.isin(numbers, entry_number[rewarding]),
        model_digest=own_digest,
        run_digest=digest_of([own_digest, tables.digest, time_zone, SCORING_VERSION]),
    )


def _matching(rule: Rule, touchpoints: Sequence[Touchpoint], tables: Tables) -> list[Touchpoint]:
    matches: Callable[[Attributes], bool] = matcher(rule.where, tables) if rule.where else lambda _: True
    return [point for point in touchpoints if point.kind == rule.activity and matches(point.attributes)]


def _each_values(rule: Rule, matched: Sequence[Touchpoint]) -> list[int]:
    """For each touchpoint the value of the limit's attribute as a number: its id, or its label where it has none."""
    name = rule.limit.each if rule.limit else None
    if name is None:
        return [0] * len(matched)
    codes: dict[str, int] = {}
    pairs = (point.attributes.get(name, ("", "")) for point in matched)
    return [codes.setdefault(fold(identity) or fold(label), len(codes)) for identity, label in pairs]


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
