"""Limits: of each calendar bin the newest N activities count."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from scoring.values import Per

Ints = npt.NDArray[np.int64]


def within_limits(limits: Mapping[Per, Ints], cell: Ints, at: Ints, on: Ints, value: Ints) -> npt.NDArray[np.bool_]:
    """Which rows are among the newest N of their person, rule, calendar bin and value.

    ``limits`` are the N by rule of each period in use, 0 for none; ``cell`` is person x rules + rule.

    The one clever place: rows are sorted by (person and rule, bin and value, newest first), so that a row's rank is its
    distance from the start of its run. Rows of one instant lie in one bin and weigh the same, so ties do not matter.
    """
    kept = np.ones(len(cell), dtype=np.bool_)
    for per, counts in limits.items():
        allowed = counts[cell % len(counts)]
        limited = np.flatnonzero(allowed)
        told = value[limited]
        part = calendar_bin(on[limited], per) * (1 + told.max(initial=0)) + told
        order = np.lexsort((-at[limited], part, cell[limited]))
        limited, part = limited[order], part[order]
        begins = np.append(True, (np.diff(cell[limited]) != 0) | (np.diff(part) != 0))[: len(limited)]
        ranks = np.arange(len(limited))
        rank = ranks - np.maximum.accumulate(np.where(begins, ranks, 0))
        kept[limited] = rank < allowed[limited]
    return kept


def calendar_bin(day: Ints, per: Per) -> Ints:
    """The number of the calendar day, ISO week, month, quarter or year that each day number lies in; 0 for ``ever``.

    >>> calendar_bin(np.array([3, 4]), "week"), calendar_bin(np.array([30, 31]), "month")
    (array([0, 1]), array([0, 1]))
    """
    if per == "day":
        return day
    if per == "week":
        return (day + 3) // 7  # 1970-01-01 is a Thursday
    if per == "ever":
        return np.zeros_like(day)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month // {"month": 1, "quarter": 3, "year": 12}[per]
