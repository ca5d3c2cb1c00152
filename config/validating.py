"""A document made into its typed part, and pydantic's findings put into an admin's words at the place to mend.

Types are strict: ``production: yes`` is no boolean. Only where a text is wanted and a bare number stands, the number is
taken as it was typed (``portal: {id: 123}``).
"""

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.problems import Problem, error, listed, nearest, shown
from config.reading import Document, Loc

PartT = TypeVar("PartT", bound=BaseModel)

_WANTS_TEXT = "Input should be a valid string"
_WANTS_LIST = "Input should be a valid tuple"
_UNKNOWN = "Extra inputs are not permitted"
_MISSING = "Field required"

#: what pydantic says -> what an admin reads; ``{value}`` is what stands there
_WORDS = (
    (r"Value error, (.*)", r"\1"),
    (_WANTS_TEXT, "must be text, not {value}"),
    (_WANTS_LIST, "must be a list, such as [a, b], not {value}"),
    (r"Input should be a valid integer.*", "must be a whole number, not {value}"),
    (r"Input should be a valid number.*", "must be a number, not {value}"),
    (r"Input should be a valid boolean.*", "must be true or false, not {value}"),
    (r"Input should be a valid dictionary.*", "must be keys with values below it, not {value}"),
    (r"Input should be greater than or equal to (\S+)", r"must be at least \1, not {value}"),
    (r"Input should be less than or equal to (\S+)", r"must be at most \1, not {value}"),
    (r"Input should be True", "must be true, not {value}"),
    (r"\w+ should have at least 1 .*", "must not be empty"),
    (r"\w+ should have at least (\d+) items? .*, not (\d+)", r"must have \1 entries, not \2"),
    (r"\w+ should have at most (\d+) items? .*, not (?:more|\d+)", r"must have \1 entries, not more"),
)


def validate(
    document: Document, kind: type[PartT], given: Mapping[str, Any] | None = None
) -> tuple[PartT | None, list[Problem]]:
    """The document as the part, or every mistake in it; ``given`` are values that do not stand in the file."""
    if not isinstance(document.value, dict):
        found = "nothing in it" if document.value is None else shown(document.value)
        return None, [error(document.at(()), f"a config file holds keys with values; this one has {found}")]
    tree = {**copy.deepcopy(document.value), **(given or {})}
    while True:
        try:
            return kind.model_validate(tree, strict=True), []
        except ValidationError as failure:
            findings = failure.errors(include_url=False)
        if not _amended(tree, document, findings):
            return None, problems(document, kind, findings)


def _amended(tree: Any, document: Document, findings: Iterable[ErrorDetails]) -> bool:
    """Gives bare numbers back as the text typed where text is wanted, and lists as tuples; True when any was."""
    amended = False
    for finding in findings:
        loc = document.existing(finding["loc"])
        value = _at(tree, loc)
        typed = document.nodes[loc].typed if loc else None
        if finding["msg"] == _WANTS_TEXT and isinstance(value, bool | int | float) and typed is not None:
            _put(tree, loc, typed)
            amended = True
        elif finding["msg"] == _WANTS_LIST and isinstance(value, list):
            _put(tree, loc, tuple(value))
            amended = True
    return amended


def _at(tree: Any, loc: Loc) -> Any:
    for step in loc:
        tree = tree[step]
    return tree


def _put(tree: Any, loc: Loc, value: Any) -> None:
    """Puts the value there; a tuple on the way is made anew."""
    *way, last = loc
    parent = _at(tree, tuple(way))
    if isinstance(parent, tuple):
        _put(tree, tuple(way), (*parent[: int(last)], value, *parent[int(last) + 1 :]))
    else:
        parent[last] = value


def problems(document: Document, kind: type[BaseModel], findings: Iterable[ErrorDetails]) -> list[Problem]:
    """The findings in an admin's words, each at the innermost node that exists."""
    found = [_problem(document, kind, finding) for finding in findings]
    return list(dict.fromkeys(found))


def _problem(document: Document, kind: type[BaseModel], finding: ErrorDetails) -> Problem:
    loc, said = finding["loc"], finding["msg"]
    value = "a text (not shown)" if "login" in loc else shown(finding["input"])
    key = _key(document, loc)
    name = str(next((step for step in reversed(loc) if step != "[key]"), ""))
    choices = re.findall(r"'([^']*)'", said) if said.startswith("Input should be '") else []
    if said == _MISSING:
        where = f'"{loc[-2]}"' if len(loc) > 1 else "this file"
        return error(document.key(loc[:-1]), f'"{name}" is missing in {where}')
    if said == _UNKNOWN or (choices and "[key]" in loc):
        known = choices or keys_of(part_at(kind, loc[:-1]))
        return error(document.key(loc), unknown_key(name, known))
    if choices:
        close = nearest(str(finding["input"]), choices)
        wanted = f"one of {listed(choices)}" if len(choices) > 1 else choices[0]
        return error(document.at(loc), f'"{key}" must be {wanted}; not {value}{close}')
    for pattern, words in _WORDS:
        if match := re.fullmatch(pattern, said, re.DOTALL):
            message = match.expand(words).replace("{value}", value)
            return error(document.at(loc), f'"{key}" {message}' if message.startswith("must ") else message)
    return error(document.at(loc), said)


def unknown_key(name: str, known: Iterable[str]) -> str:
    """The message for a key that is not one of the known."""
    known = sorted(known)
    close = nearest(name, known)
    what = "unknown key " + shown(name).removeprefix("the text ")
    if ":" in name:
        close = '; a space is missing after ":"'
    return what + (close or (f"; known here: {listed(known)}" if known else ""))


def _key(document: Document, loc: Loc) -> str:
    """The innermost key on the way to the value."""
    return str(next((step for step in reversed(document.existing(loc)) if isinstance(step, str)), ""))


def part_at(kind: Any, loc: Loc) -> type[BaseModel] | None:
    """The class of the part a way leads to; None when it leads to none.

    >>> from config.hubspot import HubSpotConnection
    >>> part_at(HubSpotConnection, ("write", "fields", "b2b")).__name__
    'HubSpotOutputFields'
    """
    for step in loc:
        kind = _inner(kind, step)
    parts = [each for each in _kinds(kind) if isinstance(each, type) and issubclass(each, BaseModel)]
    return parts[0] if parts else None


def _inner(kind: Any, step: str | int) -> Any:
    for each in _kinds(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            for name, field in each.model_fields.items():
                if step in (name, field.alias):
                    return field.annotation
            if each.model_config.get("extra") == "allow":
                return get_args(each.__annotations__["__pydantic_extra__"])[1]
        elif get_origin(each) is dict:
            return get_args(each)[1]
        elif get_origin(each) in (tuple, list):
            return get_args(each)[0]
    return None


def _kinds(kind: Any) -> tuple[Any, ...]:
    """The kind, or what it may be one of."""
    if get_origin(kind) is Annotated:
        return _kinds(get_args(kind)[0])
    if get_origin(kind) in (None, dict, tuple, list):
        return (kind,)
    return tuple(each for arg in get_args(kind) for each in _kinds(arg))


def keys_of(part: type[BaseModel] | None) -> list[str]:
    """The keys an admin may write in the part."""
    if part is None:
        return []
    hidden = {"name", "folder"} if "crm" in part.model_fields else set()
    return [field.alias or name for name, field in part.model_fields.items() if name not in hidden]
