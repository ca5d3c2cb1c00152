"""What must hold between golden cases and the rest of the folder: facts, activities, models, outputs that there are.

Every check reads the document as written, so it finds its mistakes even where another part is wrong.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

from config.files import NAME
from config.golden import WHEN, Did
from config.model_checks import DERIVED, HAND_OFF, Delivered, names_in
from config.problems import Problem, Spot, error, listed, nearest, shown, unknown
from config.reading import Document, Loc, texts_in
from scoring.fact_values import fold, iso_date
from scoring.journey import Cause
from scoring.operands import OPERANDS
from scoring.scores import GRADES, THIRDS
from scoring.trend import Momentum
from scoring.wording import OUTPUT_TYPES, STATUS_WORDS

#: beside the outputs a case may expect this: whether the model scores the person at all
SCORED = "scored"
_TYPES: Mapping[str, str] = {**OUTPUT_TYPES, SCORED: "yes or no"}
_EQUAL = ("is", "in", "not_in")
_KNOWN = ("missing", "present")
_TEXT = (*_EQUAL, "in_list", "contains", "starts_with", "ends_with", "matches", *_KNOWN)
#: type of an output -> the operators that can ever hold for it
_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "number": (*_EQUAL, "above", "at_least", "below", "at_most", "between", *_KNOWN),
    "date": (*_EQUAL, "before", "after", "between", "within", "past", *_KNOWN),
    "text": _TEXT,
    "option": _TEXT,
    "yes or no": _EQUAL,
}
#: output -> the values it may have
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "mql_status": tuple(STATUS_WORDS.values()),
    "mql_cause": get_args(Cause),
    "momentum": get_args(Momentum),
    "grade": (*(letter + third for letter in GRADES[:-1] for third in THIRDS), GRADES[-1]),
    "tier": (*(f"{letter}{level}" for letter in GRADES[:-1] for level in (1, 2, 3, 4)), GRADES[-1]),
}


def check_golden(
    golden: Document, delivered: Delivered | None, models: Collection[str], lists: Collection[str]
) -> Iterator[Problem]:
    """Everything in a file of cases that does not fit the folder; ``delivered`` is None while a connection is wrong."""
    yield from _cases(golden, models)
    if delivered:
        for loc, _ in golden.each("*", "facts", "*"):
            yield from _fact_known(golden.key(loc), str(loc[-1]), delivered.facts)
        for loc, did in golden.each("*", "did", "*"):
            yield from _delivered(golden, loc, did, delivered.kinds)
    for pattern in (("*", "expect"), ("*", "later", "*")):
        for loc, wish in golden.each(*pattern):
            for place, name in names_in(loc, wish):
                yield from _wish(golden, place, name, lists)


def _cases(golden: Document, models: Collection[str]) -> Iterator[Problem]:
    """Names that no case can have, and models that are not there."""
    for loc, _ in golden.each("*"):
        if not NAME.fullmatch(str(loc[-1])):
            rule = "a case's name begins with a small letter and holds small letters, digits, _ and -"
            yield error(golden.key(loc), f"{rule}; rename it")
    for loc, model in golden.each("*", "model"):
        if isinstance(model, str) and model not in models:
            advice = f"models here: {listed(sorted(models)) or 'none'}"
            yield unknown(golden.at(loc), "there is no model", model, models, advice)


def _fact_known(spot: Spot, fact: str, known: Collection[str]) -> Iterator[Problem]:
    if fact == HAND_OFF:
        yield error(spot, "hand_off is sales' word; write it under said")
    elif fact not in known and fact not in DERIVED:
        advice = "map it under facts in a connection"
        yield unknown(spot, "no connection maps the fact", fact, {*known, *DERIVED}, advice)


def _delivered(golden: Document, loc: Loc, did: Any, kinds: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    kind = did.get("activity") if isinstance(did, dict) else None
    if not isinstance(kind, str):
        return
    if kind not in kinds:
        advice = f"kinds delivered: {listed(sorted(kinds)) or 'none'}"
        yield unknown(golden.at((*loc, "activity")), "no connection delivers the activity", kind, kinds, advice)
        return
    kept = kinds[kind]
    for name in did:
        if name not in kept and name not in Did.model_fields:
            advice = f'"{kind}" keeps {listed(sorted(kept)) or "nothing"}; other keys are {listed([*WHEN, "times"])}'
            close = {*kept, *WHEN, "times"}
            yield unknown(golden.key((*loc, name)), "the activity map does not keep the attribute", name, close, advice)


def _wish(golden: Document, place: Loc, name: str, lists: Collection[str]) -> Iterator[Problem]:
    """What is wrong with the test of one output: its name, an operator or a value that can never fit."""
    kind = _TYPES.get(name)
    if kind is None:
        yield unknown(golden.key(place), "there is no output", name, _TYPES, f"outputs: {', '.join(_TYPES)}")
        return
    written = golden.get(place)
    if not isinstance(written, dict):
        yield from _values(golden, place, name, written)
        return
    for op, operand in written.items():
        here = (*place, op)
        if op in OPERANDS and op not in _OPERATORS[kind]:
            message = f'{name} is {_WANTED[kind]}, for which "{op}" never holds; write {listed(_OPERATORS[kind])}'
            yield error(golden.key(here), message)
        elif op in ("is", "in", "not_in"):
            yield from _values(golden, here, name, operand)
        elif op == "in_list":
            for step, each in texts_in(operand):
                if each not in lists:
                    advice = f"write its entries into lists/{each}.txt"
                    yield unknown(golden.at((*here, *step)), "there is no list", each, lists, advice)


def _values(golden: Document, place: Loc, name: str, operand: Any) -> Iterator[Problem]:
    """Values that the output never has."""
    for index, value in enumerate(operand) if isinstance(operand, list) else [(None, operand)]:
        spot = golden.at(place if index is None else (*place, index))
        options = _OPTIONS.get(name)
        if value is None or isinstance(value, dict | list):
            continue  # reported where it is read
        if not _fits(_TYPES[name], value):
            advice = "; put it in quotes" if _TYPES[name] in ("text", "option") else ""
            yield error(spot, f"{name} is {_WANTED[_TYPES[name]]}, not {shown(value)}{advice}")
        elif options and fold(str(value)) not in map(fold, options):
            close = nearest(str(value), options) or f"; write one of {', '.join(options)}"
            yield error(spot, f"{name} is never {shown(value)}{close}")


_WANTED: Mapping[str, str] = {
    "number": "a number",
    "date": "a date such as 2026-11-03",
    "text": "text",
    "option": "text",
    "yes or no": "true or false",
}


def _fits(kind: str, value: Any) -> bool:
    if kind == "yes or no" or isinstance(value, bool):
        return kind == "yes or no" and isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float)
    return isinstance(value, str) and (kind != "date" or iso_date(value) is not None)
