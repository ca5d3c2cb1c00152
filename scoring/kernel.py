"""The arithmetic: facts and packed activities of many persons into scores, chunk by chunk.

Integers throughout: micro-points, day numbers, microseconds. One person costs the same call as a million, and a person's
numbers depend on nothing but their own facts and activities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.compile import CompiledGroup, CompiledModel, CompiledRule
from scoring.fact_values import FactValue, known
from scoring.values import MICRO, Per

CHUNK = 5_000  # persons at once: the arrays of a chunk stay in the processor's cache and memory flat
GRADES = "ABCDF"
F = GRADES.index("F")
NEVER = np.iinfo(np.int64).min  #: stands for no day and no instant

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """P persons and their M activities, person after person, in any order within a person."""

    facts: Sequence[Mapping[str, FactValue]]  #: [P] derived ones included
    offsets: Ints  #: [P + 1] the activities of person i are rows offsets[i] to before offsets[i + 1]
    at: Ints  #: [M] microseconds since 1970 in UTC
    day: Ints  #: [M] day number of ``at`` in the installation's zone
    touchpoint: npt.NDArray[np.uint32]  #: [M]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """A rule with at least one counted activity."""

    rule: CompiledRule
    points: int  #: micro-points, limit applied, before cap and floor
    count: int  #: activities that counted, whatever points they have left
    newest: int  #: day number of the newest of them


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """A group."""

    group: CompiledGroup
    before: int  #: micro-points of its rules
    points: int  #: micro-points after cap and floor


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A variable, or an adjustment whose condition holds."""

    kind: str  #: "variable" or "adjust"
    id: str
    label: str
    points: int  #: micro-points of fit
    band: str = ""  #: of a variable: the key its fact falls into; empty when unknown or in none
    percent: int = 0  #: of a variable


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The score of one person."""

    score: int
    fit: int
    engagement: int
    fit_micro: int
    engagement_micro: int
    grade: str
    level: int
    tier: str
    disqualified_by: str | None  #: the id of the first disqualifier that holds
    newest_positive_at: int | None  #: microseconds
    activity_count: int
    fit_results: tuple[FitResult, ...]
    groups: tuple[GroupResult, ...]
    rules: tuple[RuleResult, ...]
    known_facts: frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """The scores of P persons as arrays of length P; R rules, G groups, F fit parts (variables, then adjustments)."""

    compiled: CompiledModel
    facts: Sequence[Mapping[str, FactValue]]
    day: int
    score: Ints  #: 0..100, rounded; 0 when disqualified
    fit: Ints  #: 0..100, rounded
    engagement: Ints  #: 0..100, rounded
    fit_micro: Ints  #: clamped to 0..100 points
    engagement_micro: Ints  #: clamped to 0..100 points
    grade: npt.NDArray[np.int8]  #: index into GRADES
    level: npt.NDArray[np.int8]  #: 1..4
    disqualified_by: Ints  #: index into the disqualifiers, -1 for none
    fit_points: Ints  #: [P, F] micro-points before the clamp
    rule_points: Ints  #: [P, R] micro-points, limits applied, before caps
    rule_count: Ints  #: [P, R] counted activities
    rule_newest: Ints  #: [P, R] day number of the newest counted activity, or NEVER
    group_points: Ints  #: [P, G] micro-points after cap and floor
    newest_positive_at: Ints  #: microseconds, or NEVER
    activity_count: Ints  #: activities up to the score day and not older than retention, matched or not
