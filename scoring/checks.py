"""What must hold between the parts of a model; each check raises or gives every mistake it finds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import inf
from typing import Any

from pydantic_core import InitErrorDetails

from scoring.definition_checks import ids_of_definition
from scoring.mistakes import Place, entries, is_number, mistake, nearest, wrong


def weights_of_score(fit: int, engagement: int) -> None:
    """Raises unless the two weights make 100."""
    if fit + engagement != 100:
        raise wrong(f"the weights add up to {fit + engagement}; fit and engagement together must make 100")


def weights_of_fit(raw: Any) -> list[InitErrorDetails]:
    """The mistake of weights that do not make 100; none while a weight is no percent, a mistake of its own."""
    variables = {name: entries(part) for name, part in entries(raw).items() if name != "adjust" and entries(part)}
    weights: dict[str, Any] = {name: part.get("weight") for name, part in variables.items()}
    sound = isinstance(raw, Mapping) and all(is_number(weight) and 0 <= weight <= 100 for weight in weights.values())
    if not sound or sum(weights.values()) == 100:
        return []
    parts = " + ".join(f"{name} {weight}" for name, weight in weights.items()) or "no variable"
    return [mistake((), f"the weights of the variables add up to {sum(weights.values())}, not 100: {parts}", raw)]


def one_shape(shapes: list[str]) -> None:
    """Raises unless a decay names exactly one shape."""
    if len(shapes) != 1:
        found = f"has {' and '.join(shapes)}" if shapes else "has none of them"
        raise wrong(f"a decay has exactly one of half_life, linear, steps and none: true; this one {found}")


def descending(bounds: tuple[int, ...]) -> None:
    """Raises unless every band begins below the one before."""
    if any(after >= before for before, after in pairwise(bounds)):
        raise wrong(
            f"the bounds must fall from band to band, such as 75, 50, 25; these are {', '.join(map(str, bounds))}"
        )


def grade_bounds(grades: Mapping[str, int]) -> None:
    """Raises unless A, B and C are named and fall."""
    if set(grades) != {"A", "B", "C"}:
        raise wrong(
            f"A, B and C each need a bound and D is the rest; bounds stand here for {', '.join(grades) or 'none'}"
        )
    descending(tuple(grades[letter] for letter in "ABC"))


def dates_in_order(first: date | None, last: date | None) -> None:
    """Raises when an offer ends before it begins."""
    if first and last and last < first:
        raise wrong(f"until {last} is before from {first}, so nothing ever counts; both days are included")


def line_of_pattern(named: Collection[str], at_least: int | None) -> None:
    """Raises unless a line has one bound that can fail and one source."""
    for one, other, example in (("at_least", "at_most", "at_least: 3"), ("activity", "rule", "rule: demo")):
        if (one in named) == (other in named):
            found = "both stand here" if one in named else "neither stands here"
            raise wrong(f"a line has either {one} or {other}, such as {example}; {found}")
    if at_least == 0:
        raise wrong("at_least: 0 always holds; for none of them write at_most: 0")


def some_line(lines: Sequence[object]) -> None:
    """Raises when a pattern counts nothing."""
    if not lines:
        raise wrong("a pattern without a line always holds; write at least one, such as {at_least: 3, rule: demo}")


def above_zero(points: Decimal) -> None:
    """Raises for points of silence that would give instead of take."""
    if points <= 0:
        raise wrong(f"{points} is not above 0; write the points that silence takes without a sign, such as 5")


def room_for_silence(take: Decimal, at_most: Decimal) -> None:
    """Raises when the first step of silence is more than all of it may take."""
    if take > at_most:
        raise wrong(f"take {take} never counts in full: at_most is {at_most}; raise at_most or lower take")


def some_sign_of_bots(*signs: int | None) -> None:
    """Raises when ``bots`` names nothing."""
    if not any(signs):
        raise wrong("nothing tells a bot here; name clicks_closer_than, after_delivery or both, such as 2s")


def shadowed(raw: Any) -> list[InitErrorDetails]:
    """The mistakes of rules that an earlier one in a ``match: first`` group leaves nothing to take."""
    if entries(raw).get("match") != "first":
        return []
    mistakes, before = [], list[tuple[Any, Any, Any]]()
    for name, rule in entries(raw, "rules").items():
        kind, where = entries(rule).get("activity"), entries(rule).get("where")
        taker = next((early for early, same, all_of in before if same == kind and all_of in (None, where)), None)
        if taker is not None:
            message = (
                f"{taker!r} comes first and takes all that this rule matches (match: first); put this one above it"
            )
            mistakes.append(mistake(("rules", name), message, name))
        before.append((name, kind, where))
    return mistakes


def bounds_of_group(raw: Any) -> list[InitErrorDetails]:
    """The mistakes of a cap below 0 or below one rule, and of a floor above 0 or, where all rules take, above one."""
    cap, floor = entries(raw).get("cap"), entries(raw).get("floor")
    mistakes = []
    if is_number(floor) and floor > 0:
        mistakes.append(mistake(("floor",), f"a floor is 0 or less; {floor} would give points to everybody", floor))
    if is_number(cap) and cap < 0:
        mistakes.append(mistake(("cap",), f"a cap is 0 or more; {cap} would take points from everybody", cap))
    points = {name: entries(rule).get("points") for name, rule in entries(raw, "rules").items()}
    known = {name: one for name, one in points.items() if is_number(one)}
    most = cap if is_number(cap) and cap >= 0 else inf
    # beside a rule that gives, one below the floor may well count in full
    least = floor if is_number(floor) and floor <= 0 and all(one <= 0 for one in known.values()) else -inf
    for name, one in known.items():
        if one > most:
            bound = f"cap is {cap}; raise the cap or lower the points"
        elif one < least:
            bound = f"floor is {floor}; lower the floor or take fewer points"
        else:
            continue
        mistakes.append(
            mistake(("rules", name, "points"), f"{one} points never count in full: the group's {bound}", one)
        )
    return mistakes


def names(raw: Any) -> list[InitErrorDetails]:
    """Decays and ids that are not defined, ids used twice: found in the YAML itself, whatever else is wrong in it."""
    mistakes = []
    decays = [str(name) for name in entries(raw, "decays")]
    first: dict[str, str] = {str(name): "fit.adjust" for name in entries(raw, "fit", "adjust")}
    for place, rule in _rules(raw):
        group, name = str(place[1]), str(place[-1])
        decay = rule.get("decay") if isinstance(rule, Mapping) else None
        if isinstance(decay, str) and decay not in decays:
            mistakes.append(mistake((*place, "decay"), f"there is no decay {decay!r}; {nearest(decay, decays)}", decay))
        if name in first:
            message = (
                f"the id {name!r} is already used in {first[name]}; ids are unique over adjust, rules and patterns"
            )
            mistakes.append(mistake(place, message, name))
        first.setdefault(name, f"engagement.{group}")
    rules = [str(place[-1]) for place, _ in _rules(raw)]
    mistakes.extend(_names_of_patterns(raw, first, rules))
    return mistakes + ids_of_definition(raw, first, rules)


def _names_of_patterns(raw: Any, first: dict[str, str], rules: Sequence[str]) -> Iterator[InitErrorDetails]:
    """As ``names``; the patterns' ids are added to ``first``."""
    for name, pattern in entries(raw, "patterns").items():
        if name in first:
            message = (
                f"the id {name!r} is already used in {first[name]}; ids are unique over adjust, rules and patterns"
            )
            yield mistake(("patterns", name), message, name)
        first.setdefault(str(name), "patterns")
        lines = entries(pattern).get("all")
        for index, line in enumerate(lines if isinstance(lines, list | tuple) else ()):
            rule = entries(line).get("rule")
            if isinstance(rule, str) and rule and rule not in rules:
                found = f"{rule!r} stands in {first[rule]}" if rule in first else f"there is no rule {rule!r}"
                message = f"{found}; a pattern counts what an engagement rule takes, {nearest(rule, rules)}"
                yield mistake(("patterns", name, "all", index, "rule"), message, rule)


def _rules(raw: Any) -> Iterator[tuple[Place, Any]]:
    for group, content in entries(raw, "engagement").items():
        for name, rule in entries(content, "rules").items():
            yield ("engagement", group, "rules", name), rule


def out_of_reach(best: Mapping[str, int], needs: Mapping[str, int | None]) -> list[InitErrorDetails]:
    """Minimums of ``mql.needs`` that stand above the most anybody can have, by name, in whole points."""
    return [
        mistake(
            ("mql", "needs", name), f"{name} can reach {best[name]} at most, so nobody ever qualifies at {bound}", bound
        )
        for name, bound in needs.items()
        if bound is not None and bound > best[name]
    ]
