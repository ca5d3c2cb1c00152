"""Values that a model cannot tell from a person's own, and that tell nobody whose they were.

Two values are alike for a model when every condition and every band gives the same for both. A text stands for
itself only where the model names it; a person's name or address never does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product

from scoring.bots import CLICKED, DELIVERED, MAIL, SENT
from scoring.compile import Touchpoint
from scoring.conditions import Condition, evaluator, matcher
from scoring.fact_values import FactValue, fold
from scoring.model import ScoringModel
from scoring.tables import Tables
from scoring.touchpoints import value_of
from sync.answers.explain import PERSONAL
from sync.store.values import day_number

KNOWN, OTHER = "known", "other"
#: stands for a domain that the model knows nothing of
DOMAIN = "acme.example"
#: follow from the other facts by themselves
_FOLLOW = frozenset({"missing"})
#: derived facts of few values, which name nobody
_VOCABULARY = frozenset({"seniority", "department", "email_type"})
_SEARCHED = ("contains", "starts_with", "ends_with")


def like_facts(
    facts: Mapping[str, FactValue], model: ScoringModel, tables: Tables, day: date
) -> tuple[dict[str, FactValue], list[str]]:
    """The facts the model reads, alike on ``day``; and the names of those for which nothing alike was found.

    Derived facts are facts like others. Numbers, dates and booleans stay, unless they are somebody's own.
    """
    found: dict[str, FactValue] = {}
    unlike: list[str] = []
    for name in sorted(model.facts_read() & facts.keys() - _FOLLOW):
        value = facts[name]
        if name == "looks_like_spam" and value is False:
            continue
        seen = _seen(name, model, tables, day_number(day))
        options = _options(name, value, model, tables)
        alike = next((option for option in options if seen(option) == seen(value)), None)
        found[name] = options[0] if alike is None else alike
        if alike is None:
            unlike.append(name)
    return found, unlike


def _seen(name: str, model: ScoringModel, tables: Tables, day: int) -> Callable[[FactValue], object]:
    """All that the model sees of a value of the fact."""
    holds = [evaluator(test, tables) for test in _tests(name, model)]
    variable = model.fit.variables.get(name)

    def seen(value: FactValue) -> object:
        return [test({name: value}, day) for test in holds], variable and variable.percent.band(value, day)

    return seen


def _tests(name: str, model: ScoringModel) -> list[Condition]:
    return [
        test
        for place, condition in model.conditions()
        if place[-1] != "where"
        for test in condition.tests()
        if test.name == name
    ]


def _options(name: str, value: FactValue, model: ScoringModel, tables: Tables) -> list[FactValue]:
    """Values to stand for it, those that tell least first."""
    tests = _tests(name, model)
    variable = model.fit.variables.get(name)
    asked = variable is not None or any(test.op not in ("missing", "present") for test in tests)
    plain = DOMAIN if name == "email_domain" else OTHER if asked else KNOWN
    if name in PERSONAL or (isinstance(value, str) and "@" in value):
        return [plain]
    if not isinstance(value, str) or name in _VOCABULARY:
        return [value]
    named = [str(each) for test in tests if test.op in ("is", "in", "not_in") for each in test.operand]
    searched = [str(each) for test in tests if test.op in _SEARCHED for each in test.operand]
    listed = any(fold(value) in tables.lists[each] for test in tests for each in test.lists())
    bands = [band.key for band in variable.percent.bands] if variable else []
    own = [value.strip()] if listed else []
    places = {each: fold(value).find(fold(each)) for each in searched}
    inside = " ".join(sorted((each for each in searched if places[each] >= 0), key=places.__getitem__))
    return [plain, *bands, *named, *searched, *([inside] if inside else []), *own]


@dataclass(kw_only=True)
class Attributes:
    """The attributes of touchpoints, alike for a model: a text that is both id and label."""

    model: ScoringModel
    tables: Tables
    #: attribute of a kind -> own value -> what stands for it
    _given: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def like(self, point: Touchpoint) -> dict[str, str]:
        """The attributes that a rule, a limit, a pattern or the signs of bots look at.

        One that a condition asks for is told by its label, else by its id; one that no condition takes is another one,
        and one that is only told apart gets a number.
        """
        asked = [test for test in _wheres(self.model, point.kind) if test.names() & point.attributes.keys()]
        names = sorted({name for test in asked for name in test.names()} & point.attributes.keys())
        tests = [matcher(test, self.tables) for test in asked]
        wanted = [test(point.attributes) for test in tests]
        found: dict[str, str] = {}
        for texts in product(*(self._texts(point, name) for name in names)):
            found = dict(zip(names, texts, strict=True))
            if [test({name: (text, text) for name, text in found.items()}) for test in tests] == wanted:
                break
        for name in self._told_apart(point):
            given = self._given.setdefault((point.kind, name), {})
            value = value_of(point, name)
            if value and value not in given:
                text = found.get(name, f"{name} {len(given) + 1}")
                given[value] = f"{text} {len(given) + 1}" if text in given.values() else text
            if value:
                found[name] = given[value]
        return dict(sorted((name, text) for name, text in found.items() if text))

    def _texts(self, point: Touchpoint, name: str) -> Sequence[str]:
        """What may stand for an attribute: that it is another one; else its label, its id."""
        identity, label = (text.strip() for text in point.attributes[name])
        texts = [text for text in (label, identity) if text and "@" not in text]
        return [OTHER, *texts] if identity or label else [""]

    def _told_apart(self, point: Touchpoint) -> set[str]:
        """The attributes of which the model asks only whether two are the same."""
        rules = {name: rule for _, name, rule in self.model.rules()}
        found: set[str] = set()
        for rule in rules.values():
            if rule.activity == point.kind and rule.limit and rule.limit.each:
                found.add(rule.limit.each)
        for pattern in self.model.patterns.values():
            for one in pattern.all:
                if (rules[one.rule].activity if one.rule else one.activity) == point.kind and one.distinct:
                    found |= point.attributes.keys() if one.distinct is True else {one.distinct}
        if self.model.bots and point.kind in (CLICKED, DELIVERED, SENT):
            found.add(MAIL)
        return found & point.attributes.keys()


def asked_for(model: ScoringModel, tables: Tables, kind: str, attribute: str) -> Callable[[Touchpoint], bool]:
    """Whether a rule or pattern takes a touchpoint of the kind because of its value of the attribute."""
    tests = [matcher(where, tables) for where in _wheres(model, kind) if attribute in where.names()]

    def asked(point: Touchpoint) -> bool:
        another = {**point.attributes, attribute: (OTHER, OTHER)}
        return any(test(point.attributes) and not test(another) for test in tests)

    return asked


def _wheres(model: ScoringModel, kind: str) -> Iterator[Condition]:
    """The conditions over the attributes of a kind of activity."""
    rules = {name: rule for _, name, rule in model.rules()}
    for rule in rules.values():
        if rule.where is not None and rule.activity == kind:
            yield rule.where
    for pattern in model.patterns.values():
        for one in pattern.all:
            if one.where is not None and (rules[one.rule].activity if one.rule else one.activity) == kind:
                yield one.where
