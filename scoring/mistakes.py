"""Mistakes in what an admin wrote, gathered so that all are shown at once, each with the keys that lead to it."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

T = TypeVar("T")
Place = tuple[str | int, ...]


def wrong(message: str) -> PydanticCustomError:
    """The error a validator raises for the value it was given: a ``ValueError`` with our words and no prefix."""
    return PydanticCustomError("model", message)


def mistake(place: Place, message: str, value: Any) -> InitErrorDetails:
    """One mistake at the end of ``place``, the keys leading to it from the part that is being read."""
    return InitErrorDetails(type=wrong(message), loc=place, input=value)


def refusal(title: str, mistakes: Sequence[InitErrorDetails]) -> ValidationError:
    """The one error that holds all mistakes, for the caller to raise."""
    return ValidationError.from_exception_data(title, list(mistakes))


def read_whole(title: str, handler: Callable[[Any], T], raw: Any, mistakes: Sequence[InitErrorDetails]) -> T:
    """What ``handler`` reads; raises its mistakes and the given ones together, so that none hides another."""
    try:
        part = handler(raw)
    except ValidationError as error:
        found = [
            InitErrorDetails(type=PydanticCustomError(one["type"], one["msg"]), loc=one["loc"], input=one["input"])
            for one in error.errors()
        ]
        raise refusal(title, [*found, *mistakes]) from error
    if mistakes:
        raise refusal(title, mistakes)
    return part


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint to end a message with: the nearest known name, else all of them.

    >>> nearest("contain", ["is", "contains"])
    "did you mean 'contains'?"
    >>> nearest("xyz", ["is", "contains"])
    'known are: contains, is'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(names)}" if names else "none is defined"


def is_number(raw: Any) -> TypeGuard[int | float]:
    """Whether YAML gave a number; true and false are none."""
    return isinstance(raw, int | float) and not isinstance(raw, bool)


def entries(raw: Any, *keys: str) -> Mapping[Any, Any]:
    """The mapping that the keys lead to in a part as YAML gave it or as it was read; empty where there is none.

    >>> entries({"a": {"b": 1}}, "a"), entries({"a": 5}, "a", "b")
    ({'b': 1}, {})
    """
    for key in keys:
        raw = _mapping(raw).get(key)
    return _mapping(raw)


def _mapping(raw: Any) -> Mapping[Any, Any]:
    if isinstance(raw, BaseModel):  # a part that was read before
        return dict(raw)
    return raw if isinstance(raw, Mapping) else {}
