"""Digests: 16 hexadecimal digits that are equal exactly when what they stand for is equal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


def digest_of(value: Any) -> str:
    """The digest of JSON values, tuples and dates; the order of lists and of keys counts.

    >>> digest_of([1, "a"]) == digest_of((1, "a"))
    True
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def model_digest(model: BaseModel) -> str:
    """The digest of a model's rules: without labels and comments, with lists by name, whatever way a rule is written.

    The order in which an admin writes variables, rules and disqualifiers counts: the first disqualifier that holds is
    the one named. What is left out and what is empty is the same.
    """
    return digest_of(_form(model))


def _form(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _filled({name: _form(part) for name, part in value if not (name == "label" and isinstance(part, str))})
    if is_dataclass(value):
        return _filled({part.name: _form(getattr(value, part.name)) for part in fields(value) if part.compare})
    if isinstance(value, Mapping):
        return [[str(key), _form(part)] for key, part in value.items()]
    if isinstance(value, tuple):
        return [_form(part) for part in value]
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _filled(form: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in form.items() if part not in (None, "", [], {})}
