"""Things that go wrong on request: faults of whole requests, and rules that spoil the write of single records."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_ACTIONS = {"status", "body", "headers", "drop", "delay_s", "html"}


@dataclass(slots=True)
class Fault:
    """One fault: the requests it strikes, how often, and what they get instead."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    do: Mapping[str, Any]
    #: matching requests left alone first
    skip: int = 0
    #: matching requests struck; None = all that follow
    times: int | None = 1

    def strikes(self, method: str, path: str) -> bool:
        """True when this request is struck; counts it."""
        if self.times == 0 or not (self.method.fullmatch(method) and self.path.search(path)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def parse_fault(raw: Any) -> Fault:
    """A fault from ``{"match": {"method", "path"}, "times", "skip", "do": {…}}``; raises ValueError.

    ``match.method`` and ``match.path`` are regular expressions (the whole method, part of the path with its query);
    left out, they match everything. ``times`` null = for ever. ``do`` is one of ``{"status", "body", "headers"}``,
    ``{"html": status}``, ``{"drop": "before" | "after_apply"}``, with or without ``"delay_s"``, or that alone.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("do"), dict) or not raw["do"]:
        raise ValueError('a fault needs "do", such as {"do": {"status": 503}}')
    unknown = (set(raw) - {"match", "times", "skip", "do"}) | (set(raw["do"]) - _ACTIONS)
    if unknown:
        raise ValueError(f"unknown in a fault: {sorted(unknown)}; known in do: {sorted(_ACTIONS)}")
    if raw["do"].get("drop") not in (None, "before", "after_apply"):
        raise ValueError('"drop" is "before" or "after_apply"')
    match = raw.get("match") or {}
    times = raw.get("times", 1)
    return Fault(
        method=re.compile(match.get("method", ".*"), re.IGNORECASE),
        path=re.compile(match.get("path", "")),
        do=raw["do"],
        skip=int(raw.get("skip", 0)),
        times=None if times is None else int(times),
    )


@dataclass(kw_only=True, slots=True)
class RecordRule:
    """What happens to API writes of one record, or of all of an object (``id`` "*")."""

    object: str
    id: str
    #: "refuse", "ignore" or "rewrite"
    action: str
    #: the property it looks at; "" = any (refuse only)
    property: str = ""
    code: str = "VALIDATION_RULE"
    message: str = "A validation rule of this portal does not allow the change"
    #: HubSpot: a refusal fails the whole batch (400), or this record alone (207)
    status: int = 400
    #: what a rewrite stores instead
    value: Any = ""
    #: Salesforce: writes refused before one goes through; None = all
    times: int | None = None
    #: Salesforce: only in batches of more records of the object than this
    above: int = 0

    def fits(self, kind: str, row_id: Any, name: str = "") -> bool:
        """True when the rule looks at this record and property."""
        return self.object == kind and self.id in ("*", str(row_id)) and self.property in ("", name)


@dataclass(slots=True)
class RecordRules:
    """The rules in force, first added first asked."""

    rules: list[RecordRule] = field(default_factory=list)

    def refusal(self, kind: str, row_id: Any, names: Iterable[str], *, batch: int = 1) -> RecordRule | None:
        """The rule that refuses a write of these properties, if any; counts it."""
        for rule in self.rules:
            if rule.action != "refuse" or rule.times == 0 or batch <= rule.above:
                continue
            if any(rule.fits(kind, row_id, name) for name in ("", *names)):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def ignores(self, kind: str, row_id: Any, name: str) -> bool:
        """True when a write of the property is silently left out."""
        return any(rule.action == "ignore" and rule.fits(kind, row_id, name) for rule in self.rules)

    def rewritten(self, kind: str, row_id: Any, name: str, value: Any) -> Any:
        """What a Flow of the CRM makes of a written value."""
        for rule in self.rules:
            if rule.action == "rewrite" and rule.fits(kind, row_id, name):
                return rule.value
        return value


def parse_record_rule(raw: Any) -> RecordRule:
    """A rule from an object with the members of RecordRule, ``"*"`` for every id; raises ValueError."""
    known = RecordRule.__dataclass_fields__
    if not isinstance(raw, dict) or set(raw) - set(known) or not {"object", "id", "action"} <= set(raw):
        raise ValueError(f"a record rule needs object, id and action; known are {', '.join(known)}")
    if raw["action"] not in ("refuse", "ignore", "rewrite"):
        raise ValueError('"action" is "refuse", "ignore" or "rewrite"')
    if raw["action"] != "refuse" and not raw.get("property"):
        raise ValueError(f'"{raw["action"]}" needs a "property"')
    codes = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION"} if is_salesforce(raw["object"]) else {}
    return RecordRule(**{**codes, **raw, "id": str(raw["id"])})


def is_salesforce(object_: str) -> bool:
    """True for the name of an object of Salesforce; HubSpot's begin with a small letter.

    >>> is_salesforce("Contact"), is_salesforce("contacts")
    (True, False)
    """
    return object_[:1].isupper()
