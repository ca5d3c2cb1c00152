"""What must hold between the parts of an MQL definition; each check raises or gives every mistake it finds."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core import InitErrorDetails

from scoring.mistakes import Place, entries, is_number, mistake, nearest, wrong
from scoring.values import Letter, parse_minimum_grade


def some_minimum(*, named: bool) -> None:
    """Raises when ``needs`` names nothing."""
    if not named:
        raise wrong(
            "without a minimum everybody would qualify; "
            "name at least one of score, fit, engagement, grade, facts, rules"
        )


def enough_rules(count: int, ids: Sequence[str]) -> None:
    """Raises when an id is named twice, or fewer are named than must be met."""
    twice = [name for place, name in enumerate(ids) if name in ids[:place]]
    if twice:
        raise wrong(f"{twice[0]!r} is named twice; one rule counts once, so name each id once")
    if count > len(ids):
        raise wrong(f"any: {count} can never be met of {len(ids)}; name more ids or ask for fewer")


def bounds_of_leaving(raw: Any) -> list[InitErrorDetails]:
    """The mistakes of ``leave_below``: a key without a minimum, and a bound above it."""
    mistakes = []
    needs = entries(raw, "needs")
    for name, bound in entries(raw, "leave_below").items():
        place, minimum = ("leave_below", name), needs.get(name)
        if bound is None or name not in ("score", "fit", "engagement", "grade"):
            continue  # a mistake of its own
        if minimum is None:
            message = f"mql.needs has no minimum {name}, so nobody leaves by it; name it there or take it out here"
            mistakes.append(mistake(place, message, bound))
        elif _stricter(bound, minimum):
            message = f"{bound} is above the minimum {minimum}: who qualifies would leave at once; lower it"
            mistakes.append(mistake(place, message, bound))
    return mistakes


def _stricter(bound: Any, minimum: Any) -> bool:
    """Whether a bound for leaving is above the minimum for entry; not while one of them is a mistake of its own."""
    if is_number(bound):
        return is_number(minimum) and bound > minimum
    letters = get_args(Letter)
    try:
        return bound in letters and letters.index(bound) < letters.index(parse_minimum_grade(minimum))
    except ValueError:
        return False


def ids_of_definition(raw: Any, ids: Mapping[str, str], rules: Sequence[str]) -> list[InitErrorDetails]:
    """The mistakes of ids that a definition names: unknown in ``needs.rules.of``, no engagement rule in ``instant``."""
    mistakes = []
    named = entries(raw, "mql", "needs", "rules").get("of")
    for index, name in enumerate(named if isinstance(named, list | tuple) else ()):
        place: Place = ("mql", "needs", "rules", "of", index)
        if isinstance(name, str) and name and name not in ids:
            message = f"there is no adjust, rule or pattern {name!r}; {nearest(name, ids)}"
            mistakes.append(mistake(place, message, name))
    for name in entries(raw, "mql", "instant"):
        if name not in rules:
            found = f"{name!r} stands in {ids[name]}" if name in ids else f"there is no rule {name!r}"
            message = f"{found}; an instant rule is an engagement rule, {nearest(str(name), rules)}"
            mistakes.append(mistake(("mql", "instant", name), message, name))
    return mistakes
