"""What an observation of our fields changes, and what a receipt changes.

Pure: a record's three values in, three values out.

For each output field of a record the store keeps **confirmed** (what we last wrote and the CRM acknowledged, by a
receipt or by showing it),
**observed** (what it holds, from every pull and every receipt) and **desired** (what it should hold).
Instants are microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.base import Value

#: a read may be older than our receipt for this long: the CRM's index lags
LAG_WINDOW = 15 * 60 * 1_000_000
#: sends of one unchanged value within BRAKE_WINDOW before a field counts as not sticking
SENDS = 3
BRAKE_WINDOW = 7 * 86_400 * 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """How often one value went out."""

    value: Value
    count: int
    first_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """The output fields of one record."""

    observed: Mapping[str, Value] = field(default_factory=dict)
    confirmed: Mapping[str, Value] = field(default_factory=dict)
    desired: Mapping[str, Value] = field(default_factory=dict)
    sends: Mapping[str, Send] = field(default_factory=dict)
    receipt_at: int | None = None
    receipt_stamp: int | None = None
    #: written, and not read back since
    echo: bool = False


def observe(fields: Fields, values: Mapping[str, Value], *, stamp: int, requested_at: int, now: int) -> Fields:
    """The fields after a read.

    Within the lag window after a receipt, a record with an older stamp, or from a page asked for before the receipt,
    does not replace them; afterwards every read does. What stands there as it should is confirmed: a receipt that was
    lost makes no stranger of our own value.
    """
    if fields.receipt_at is not None and now < fields.receipt_at + LAG_WINDOW:
        older_stamp = fields.receipt_stamp is not None and stamp < fields.receipt_stamp
        if older_stamp or requested_at < fields.receipt_at:
            return fields
    held = {
        name: value
        for name, value in fields.desired.items()
        if values.get(name) == value and (value is not None or name in fields.confirmed)
    }
    return replace(fields, observed=dict(values), confirmed={**fields.confirmed, **held}, echo=False)


def receive(
    fields: Fields, sent: Mapping[str, Value], returned: Mapping[str, Value], *, stamp: int | None, now: int
) -> Fields:
    """The fields after the CRM acknowledged a write: it holds what it returned, else what was sent."""
    sends = dict(fields.sends)
    for name, value in sent.items():
        before = sends.get(name)
        again = before is not None and before.value == value and now - before.first_at <= BRAKE_WINDOW
        sends[name] = (
            Send(value=value, count=before.count + 1, first_at=before.first_at)
            if before is not None and again
            else Send(value=value, count=1, first_at=now)
        )
    return replace(
        fields,
        observed={**fields.observed, **{name: returned.get(name, value) for name, value in sent.items()}},
        confirmed={**fields.confirmed, **sent},
        sends=sends,
        receipt_at=now,
        receipt_stamp=stamp if stamp is not None else now,
        echo=True,
    )


def does_not_stick(fields: Fields, name: str, *, now: int) -> bool:
    """Whether this value went out as often as one value may, and the CRM still holds another."""
    send = fields.sends.get(name)
    return (
        send is not None
        and send.value == fields.desired.get(name)
        and fields.observed.get(name) != send.value
        and send.count >= SENDS
        and now - send.first_at <= BRAKE_WINDOW
    )
