"""What a handler gets and gives: one request, one reply, one refusal in HubSpot's envelope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request after its path is matched."""

    method: str
    #: legacy spelling, no trailing slash: ``/crm/v3/objects/contacts``
    path: str
    #: what the route's pattern took from the path
    parts: Mapping[str, str]
    #: repeated keys in their order
    query: Mapping[str, Sequence[str]]
    #: parsed JSON; None without a body
    body: Any
    #: the caller used a dated path
    dated: bool = False
    #: by name in small letters
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query[name][-1] if self.query.get(name) else default

    def texts(self, name: str) -> list[str]:
        """All values of a query parameter: repeated keys and comma lists alike."""
        return [item for value in self.query.get(name, ()) for item in value.split(",") if item]

    def flag(self, name: str) -> bool:
        """True for ``true`` in any case; clients in Python send ``True``."""
        return self.text(name).casefold() == "true"

    def number(self, name: str, default: int, *, most: int) -> int:
        """A positive whole number up to ``most``; a refusal otherwise."""
        text = self.text(name)
        return whole(text, name=name, most=most) if text else default

    def field(self, name: str, kind: type) -> Any:
        """One member of the JSON body; a refusal when it is missing or of another type."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(value, kind):
            raise invalid(f"Invalid input JSON: '{name}' is missing or not of the expected type")
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What goes back: JSON when ``body`` is not bytes, nothing when it is None."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer in HubSpot's error envelope, to which the server adds the correlation id; Salesforce has its own."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """``errors`` and ``context`` are left out of the envelope when empty."""
        super().__init__(message)
        self.status = status
        self.body: Any = {"status": "error", "message": message, "category": category}
        if errors:
            self.body["errors"] = list(errors)
        if context:
            self.body["context"] = context


def invalid(message: str, *, errors: Sequence[Mapping[str, Any]] = ()) -> Refusal:
    """A 400 VALIDATION_ERROR."""
    return Refusal(400, "VALIDATION_ERROR", message, errors=errors)


def not_found(message: str = "resource not found") -> Refusal:
    """A 404 OBJECT_NOT_FOUND."""
    return Refusal(404, "OBJECT_NOT_FOUND", message)


def whole(text: Any, *, name: str, most: int, least: int = 1) -> int:
    """A whole number of that range from text or JSON; a refusal otherwise.

    >>> whole("20", name="limit", most=100)
    20
    """
    shown = str(text)
    if not shown.isascii() or not shown.isdigit() or not least <= int(shown) <= most:
        raise invalid(f"'{name}' must be a whole number from {least} to {most}")
    return int(shown)
