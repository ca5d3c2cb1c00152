"""What a model asks for or promises and nobody can ever reach, though each of its parts is well written.

What is told is certain. Where a bound hangs on more than is looked at here, it counts as reachable.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING

from config.condition_checks import clashing
from config.problems import Problem, error, listed, warning
from config.reading import Document
from scoring.conditions import Condition
from scoring.contradictions import Signed, clash
from scoring.decay import decay_table
from scoring.engagement import PatternLine, Rule
from scoring.model import ScoringModel, whole
from scoring.values import MICRO


def check_reach(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """Everything of a valid model that is out of reach, at the place where it is asked for."""
    yield from _hidden(written, model)
    yield from _lines(written, model)
    yield from _several(written, model)
    yield from _instant(written, model)
    yield from _surge(written, model)
    yield from _bands(written, model)
    yield from _audience(written, model)


def _hidden(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """Rules of a ``match: first`` group whose activities the rules above them take, each by another ``where``."""
    for name, group in model.engagement.items():
        above: list[tuple[str, Rule]] = []
        for id_, rule in group.rules.items() if group.match == "first" else ():
            same = [(other, one) for other, one in above if one.activity == rule.activity]
            takers = [other for other, one in same if _inside([rule.where], one.where)]
            if takers or _inside([rule.where], *(one.where for _, one in same)):
                who = f'"{takers[0]}" comes first and takes' if takers else "the rules above it take"
                message = f"{who} all that this rule matches (match: first); put this one above"
                yield error(written.key(("engagement", name, "rules", id_)), message)
            above.append((id_, rule))


def _inside(inner: Sequence[Condition | None], *outer: Condition | None) -> bool:
    """Whether a touchpoint that satisfies all inner conditions is sure to satisfy one of the outer ones."""
    signed: list[Signed] = [(one, True) for one in inner if one is not None]
    signed += [(one, False) for one in outer if one is not None]
    return bool(outer) and (None in outer or bool(clash(signed, attributes=True)))


def _lines(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """Lines of a pattern that want at least more than another one allows of the same or of more."""
    rules = {id_: rule for _, id_, rule in model.rules()}
    for name, pattern in model.patterns.items():
        lines = list(enumerate(pattern.all))
        for place, line in lines:
            for other, wide in lines:
                least, most = line.at_least, wide.at_most
                if least is None or most is None or least <= most or not _counts_more(wide, line, rules):
                    continue
                first, second = sorted((place, other))
                message = (
                    f"line {other + 1} of this pattern allows at most {most} of what line {place + 1} wants at "
                    f"least {least} of, so it never holds; change one of lines {first + 1} and {second + 1}"
                )
                yield error(written.key(("patterns", name, "all", second)), message)


def _counts_more(wide: PatternLine, line: PatternLine, rules: dict[str, Rule]) -> bool:
    """Whether whatever the line counts is counted by the wide one, too, one for one."""
    if wide.within and (not line.within or line.within > wide.within):
        return False
    same = wide.distinct in (None, line.distinct) or (wide.distinct is True and (line.distinct or wide.at_most == 0))
    rule = rules[line.rule] if line.rule else None
    kind = rule.activity if rule else line.activity
    source = wide.rule == line.rule if wide.rule else wide.activity == kind
    return bool(same) and source and _inside([line.where, rule.where if rule else None], wide.where)


def _several(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """N of M where fewer than N can ever be met, or where all are needed and two exclude each other."""
    several = model.mql.needs.rules if model.mql.needs else None
    if several is None:
        return
    spot = written.at(("mql", "needs", "rules", "any"))
    rules = {id_: rule for _, id_, rule in model.rules()}
    small = [id_ for id_ in several.of if id_ in rules and not _can_be_met(rules[id_], model)]
    if several.any > len(several.of) - len(small):
        message = f"{listed(small)} never give{'s' if len(small) == 1 else ''} half a point, so {several.any}"
        yield error(spot, f"{message} of {len(several.of)} are never met; ask for fewer or give more points")
    elif several.any == len(several.of):
        adjust = [(model.fit.adjust[id_].if_, True) for id_ in several.of if id_ in model.fit.adjust]
        if found := clash(adjust):
            yield error(spot, f"all of these are never met at once: {clashing(found)}; ask for fewer")


def _can_be_met(rule: Rule, model: ScoringModel) -> bool:
    """Whether the rule's points can reach half a point in size; any number of activities count without a limit."""
    once = abs(decay_table(rule.points, model.decays[rule.decay] if rule.decay else None)[0])
    for_ever = rule.limit is not None and rule.limit.per == "ever" and not rule.limit.each
    count = rule.limit.count if rule.limit and for_ever else MICRO
    return 2 * once * count >= MICRO


def _instant(written: Document, model: ScoringModel) -> Iterator[Problem]:
    best = whole(model.best()["fit"])
    for id_, instant in model.mql.instant.items():
        bound = model.grades.get(instant.grade, 0) if instant.grade else 0  # D has no bound
        if bound > best:
            message = (
                f"grade {instant.grade} begins at {bound} and fit reaches {best} at most, so nobody ever qualifies"
            )
            yield error(written.at(("mql", "instant", id_, "grade")), f"{message} by this rule")


def _surge(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """A rise that no score makes. Facts count as of now on both days, so fit moves only by dates near the day."""
    if model.surge is None:
        return
    best = model.best()
    by_day = {"within", "past"}
    moving = any(part.percent.kind == "date" for part in model.fit.variables.values()) or any(
        test.op in by_day for _, condition in model.conditions() for test in condition.tests()
    )
    by_engagement = (best["engagement"] * model.weights.engagement / 100).to_integral_value(ROUND_CEILING)
    most = whole(best["score"]) if moving else int(by_engagement)
    if model.surge.rise > most:
        message = f"no score rises by more than {most}, so this is never a sharp rise; lower it"
        yield error(written.at(("surge", "rise")), message)


def _bands(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """Grades and levels above the best fit and engagement."""
    best = {name: whole(points) for name, points in model.best().items()}
    asked = {instant.grade for instant in model.mql.instant.values()}  # told there
    letters = [letter for letter, bound in model.grades.items() if bound > best["fit"] and letter not in asked]
    if letters:
        spot = written.key(("grades", letters[-1]) if "grades" in model.model_fields_set else ("fit",))
        yield warning(spot, f"fit reaches {best['fit']} at most, so nobody ever has grade {' or '.join(letters)}")
    levels = [place for place, bound in enumerate(model.levels) if bound > best["engagement"]]
    if levels:
        spot = written.at(("levels", levels[-1]) if "levels" in model.model_fields_set else ("engagement",))
        names = " or ".join(str(place + 1) for place in levels)
        yield warning(spot, f"engagement reaches {best['engagement']} at most, so nobody ever has level {names}")


def _audience(written: Document, model: ScoringModel) -> Iterator[Problem]:
    """Conditions that the audience decides already; what they never or always are by themselves is told elsewhere."""
    if model.audience is None or clash([(model.audience, True)]):
        return
    for loc, condition in model.conditions():
        if loc[0] not in ("fit", "disqualify"):
            continue
        never, always = (
            clash([(model.audience, True), (condition, holds)]) if not clash([(condition, holds)]) else ()
            for holds in (True, False)
        )
        if never:
            yield warning(written.key(loc), f"nobody in the audience is meant by this: {clashing(never)}")
        elif always and loc[0] == "disqualify":
            message = f"whoever is in the audience is disqualified by this ({clashing(always)}); take one of them out"
            yield error(written.key(loc), message)
