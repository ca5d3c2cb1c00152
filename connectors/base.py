"""The connector interface, and the words it is told in.

* **record**: one row of a CRM that describes somebody or something: a contact, a company, an owner.
* **activity**: one thing a person did, or that was done with them, at an instant.
* **stream**: one sequence of records or activities that has a cursor of its own.
* **cursor**: where a stream goes on. The connector writes it, the store keeps it, nobody else reads it.
* **page**: what one step of a pull brought, with the cursor that follows it.
* **observation**: what a record's field held when it was read. **receipt**: what the CRM said to a write.
* **succession**: a record that another one now stands for, merged away or converted.
* **stamp**: the CRM's own time of a record's last change.

Instants are aware and in UTC. Values are *canonical*: ``canonical()`` gives equal values for equal contents of a field,
whatever a CRM's spelling, and ``None`` for an empty one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Protocol

#: larger numbers are not exact everywhere they travel
EXACT = 2**53
Value = str | int | float | bool | date | datetime | None
Cursor = Mapping[str, Any]
FieldType = Literal["text", "number", "bool", "date", "datetime", "option"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldDefinition:
    """What the CRM says of one field of an object."""

    name: str
    type: FieldType
    #: the longest text it takes, in characters; None = no limit known
    length: int | None = None
    #: decimals kept of a number; None = as written
    scale: int | None = None
    #: the values a picklist takes, in the CRM's order; empty = any
    options: tuple[str, ...] = ()
    writable: bool = True
    #: computed by the CRM: a change of it may not move the record's stamp
    calculated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record as read, with the fields that were asked for."""

    #: contact, company, owner (HubSpot); lead, contact, account, user … (Salesforce)
    object: str
    id: str
    #: canonical values by the CRM's field name; None = empty there
    values: Mapping[str, Value]
    stamp_at: datetime
    created_at: datetime | None = None
    #: records this one points to, by object: ``{"company": "77", "owner": "12"}``; where there may be several of one
    #: object, by object and id: ``{"contact:5": "5", "contact:6": "6"}``
    parents: Mapping[str, str] = field(default_factory=dict)
    #: ids that now stand for this record (merged into it, converted to it)
    aliases: tuple[str, ...] = ()
    #: every address it answers to, trimmed and case-folded; the first is its own
    emails: tuple[str, ...] = ()
    #: field names whose content could not be read as their type; they count as empty
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """One attribute of a touchpoint: matched by id or label, kept by id; the label is updated in place."""

    id: str
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One activity as read, before the field map names its kind."""

    #: what ``from:`` names in the activity map: form_submissions, email_events, lists, emails, calls, meetings …
    source: str
    #: stable and unique within (connection, source)
    id: str
    at: datetime
    #: ids of the records it hangs on, all of them; empty when only the address is known
    records: tuple[str, ...] = ()
    #: the address it names, trimmed and case-folded; "" when the records are known
    email: str = ""
    #: by the CRM's attribute name, as ``keep:`` and ``where:`` name them
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    #: the CRM's time of its last change; equals ``created_at`` or ``at`` for what never changes
    changed_at: datetime | None = None
    #: False when it is known to be new, so that no other record can still hold it
    may_have_moved: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """A record (``object``) or an activity (``source``) that is gone from the CRM."""

    object: str = ""
    source: str = ""
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Succession:
    """A record that another one now stands for: merged away, or converted. The other may not have been read yet."""

    object: str
    id: str
    into_object: str
    into_id: str
    #: converted: its row stays, to be read and not to be written
    converted: bool = False
    #: when, where the CRM says
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One step of a pull. Applying it twice is harmless."""

    stream: str
    next_cursor: Cursor
    #: our clock before the request went out; an observation is no newer than this
    requested_at: datetime
    records: Sequence[Record] = ()
    activities: Sequence[Activity] = ()
    deletions: Sequence[Deletion] = ()
    successions: Sequence[Succession] = ()
    #: records announced for the whole pull, where the CRM says; for the progress bar
    expected: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldUpdate:
    """The only thing push can send: mapped output fields of an existing record. ``None`` empties a field."""

    object: str
    record_id: str
    values: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why the CRM did not take a record's update, in its own words."""

    code: str
    message: str
    #: the field it blames; "" for the record as a whole
    field: str = ""
    #: the record is deleted or merged away: a tombstone, not a quarantine
    gone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the CRM said to one FieldUpdate.

    Neither refused nor confirmed (``values`` is None and ``refusal`` is None) means unknown: the difference stays and
    goes out again.
    """

    object: str
    record_id: str
    #: what the CRM returned for the fields sent, else what was sent; None = not confirmed
    values: Mapping[str, Value] | None = None
    stamp_at: datetime | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The org or portal behind a connection."""

    id: str
    production: bool
    time_zone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What the CRM says of the account's calls of the day, those of all apps together."""

    used: int
    allowed: int
    #: when the answer that told it came; calls run off, so what is old says little
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One stream a connection pulls. Streams of records come before streams of activities."""

    name: str
    #: the object of its records; "" for a stream of activities
    object: str = ""


class Connector(Protocol):
    """One CRM connection. All methods may be called again after any failure; none is called from two threads at once.

    Every method raises only the errors of ``connectors.errors``.
    """

    #: records one ``push`` takes
    push_size: int

    def account(self) -> Account:
        """The org or portal the credentials reach. Harmless to repeat."""
        ...

    def describe(self) -> Mapping[str, Mapping[str, FieldDefinition]]:
        """Object -> field name -> definition, of the objects this connection reads. Harmless to repeat."""
        ...

    def streams(self) -> Sequence[Stream]:
        """The streams the configuration asks for, in the order to pull them. Makes no call."""
        ...

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """Pages from the cursor (None: from the beginning) until nothing newer is known; at least one page.

        Pages may bring again what was brought before. Each page's cursor is safe to keep once the page is stored.
        """
        ...

    def read(self, object_: str, ids: Sequence[str]) -> Page:
        """The named records as they are now, without index lag; those gone come as deletions. Harmless to repeat.

        The page is of no stream (``""``): it moves no cursor.
        """
        ...

    def push(self, updates: Sequence[FieldUpdate]) -> Sequence[Receipt]:
        """One receipt per update, in any order; at most ``push_size`` updates, one per record. Harmless to repeat."""
        ...

    def hidden(self) -> Mapping[str, Sequence[str]]:
        """Object -> optional fields that are asked for and that the CRM does not show. Makes no call."""
        ...

    def calls(self) -> int:
        """HTTP requests sent since this object was built."""
        ...

    def allowance(self) -> Allowance | None:
        """The account's calls of the day as the newest answer told them; None before one did. Makes no call."""
        ...

    def close(self) -> None:
        """Closes its sockets. A call in flight in another thread ends with an error."""
        ...


def canonical(definition: FieldDefinition, value: Any) -> Value:  # noqa: PLR0911 - one branch per field type
    r"""The value as every comparison sees it; raises ValueError when it cannot be read as the field's type.

    Numbers are rounded to the field's scale, whole ones are ``int``; text has its line ends unified and outer white
    space removed; options are compared as written; blank is None.

    >>> canonical(FieldDefinition(name="n", type="number"), "55.0")
    55
    >>> canonical(FieldDefinition(name="t", type="text"), " a\r\nb ")
    'a\nb'
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        if not value:
            return None
    match definition.type:
        case "number":
            return _number(value, definition.scale)
        case "bool":
            return _bool(value)
        case "date":
            return _date(value)
        case "datetime":
            return instant(value)
        case "text" | "option":
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return text[: definition.length].rstrip() if definition.length else text


def _number(value: Any, scale: int | None) -> int | float:
    try:
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) > EXACT:
            raise ValueError(f"not a number we can keep exactly: {value!r}")
        if scale is not None:
            number = round(number, scale)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    return int(number) if number == number.to_integral_value() else float(number)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    match str(value).casefold():
        case "true" | "yes" | "1":
            return True
        case "false" | "no" | "0":
            return False
    raise ValueError(f"not true or false: {value!r}")


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if isinstance(value, date):
        return value
    text = str(value)
    if len(text) == 10 and text[4] == "-":
        return date.fromisoformat(text)
    return instant(text).date()


def instant(value: Any) -> datetime:
    """An instant from ISO text (fraction, offset and Z optional) or from milliseconds since 1970; else ValueError.

    >>> instant("2026-01-02T03:04:05.678Z") == instant(1767323045678) == instant("1767323045678")
    True
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    text = str(value).strip()
    try:
        if text.lstrip("-").isdigit() and len(text) != 8:
            return datetime.fromtimestamp(int(text) // 1000, UTC).replace(microsecond=int(text) % 1000 * 1000)
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"not a date and time: {value!r}") from error
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
