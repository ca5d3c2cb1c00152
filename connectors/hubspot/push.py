"""Writes our output properties of existing contacts, and tells what became of each.

Nothing else can be sent. HubSpot writes nothing of a batch that holds one invalid value, so a refused batch is halved
until the record to blame stands alone, at two calls a level.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.base import FieldDefinition, FieldUpdate, Receipt, Refusal, Value, canonical, instant
from connectors.errors import Fatal, Refused
from connectors.hubspot.client import BATCH_ROWS, Client, Json
from connectors.hubspot.failures import blame, well_formed
from connectors.hubspot.fields import encode
from connectors.hubspot.reading import Definitions

#: a property is at fault, not a record
_LOST_FIELD = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
#: calls beyond the first that one push may spend on finding records to blame; what is left then stays unknown
_EXTRA_CALLS = 64


class _Batch:
    """One push: the definitions to write by, and the calls it may still make."""

    def __init__(self, client: Client, definitions: Mapping[str, FieldDefinition]) -> None:
        self._client = client
        self._definitions = definitions
        self._extra = _EXTRA_CALLS

    def send(self, updates: Sequence[FieldUpdate]) -> list[Receipt]:
        try:
            told = self._client.batch_update("contacts", [self._input(update) for update in updates])
        except Refused as refused:
            return self._halved(updates, refused)
        with well_formed("contacts batch update"):
            return self._receipts(updates, told)

    def _input(self, update: FieldUpdate) -> Json:
        texts = {name: encode(self._definitions[name], value) for name, value in update.values.items()}
        return {"id": update.record_id, "properties": texts}

    def _halved(self, updates: Sequence[FieldUpdate], refused: Refused) -> list[Receipt]:
        if refused.code in _LOST_FIELD:
            raise _lost(refused.field) from refused
        if len(updates) == 1:
            refusal = Refusal(code=refused.code, message=str(refused), field=refused.field, gone=refused.status == 404)
            return [_receipt(updates[0], refusal=refusal)]
        if self._extra < 2:
            return [_receipt(update) for update in updates]
        self._extra -= 2
        middle = (len(updates) + 1) // 2
        return [*self.send(updates[:middle]), *self.send(updates[middle:])]

    def _receipts(self, updates: Sequence[FieldUpdate], told: Json) -> list[Receipt]:
        """By id, for HubSpot keeps no order. Errors count whatever the status: dated paths fold them into a 200."""
        written = {str(row.get("id")): row for row in told.get("results") or ()}
        refusals: dict[str, Refusal] = {}
        for error in told.get("errors") or ():
            code, field, message = blame(error)
            refusal = Refusal(code=code, message=message, field=field, gone=code == "OBJECT_NOT_FOUND")
            refusals.update({str(id_): refusal for id_ in (error.get("context") or {}).get("ids") or ()})
        return [
            self._confirmed(update, written[update.record_id])
            if update.record_id in written
            else _receipt(update, refusal=refusals.get(update.record_id))
            for update in updates
        ]

    def _confirmed(self, update: FieldUpdate, row: Mapping[str, Any]) -> Receipt:
        returned = row.get("properties") or {}
        values = {name: self._value(name, returned.get(name, value), value) for name, value in update.values.items()}
        stamp = row.get("updatedAt")
        return Receipt(
            object=update.object,
            record_id=update.record_id,
            values=values,
            stamp_at=instant(stamp) if stamp else None,
        )

    def _value(self, name: str, returned: Any, sent: Value) -> Value:
        try:
            return canonical(self._definitions[name], returned)
        except ValueError:
            return canonical(self._definitions[name], sent)


def push(
    client: Client, definitions: Definitions, outputs: Collection[str], updates: Sequence[FieldUpdate]
) -> list[Receipt]:
    """One receipt per update, in their order; at most 100 updates, one per contact, of output properties only.

    Anything else is the caller's mistake: ValueError, before a call is made. Fatal when an output property does not
    exist or cannot be written.
    """
    if not updates:
        return []
    _check(outputs, updates)
    known = definitions("contact")
    names = {name for update in updates for name in update.values}
    if not known.keys() >= names:
        known = definitions("contact", fresh=True)
    for name in sorted(names):
        if name not in known or not known[name].writable:
            raise _lost(name)
    return _Batch(client, known).send(updates)


def _check(outputs: Collection[str], updates: Sequence[FieldUpdate]) -> None:
    if len(updates) > BATCH_ROWS:
        raise ValueError(f"at most {BATCH_ROWS} updates can be pushed at once, not {len(updates)}")
    if len({update.record_id for update in updates}) < len(updates):
        raise ValueError("a record is named twice in one push")
    for update in updates:
        if update.object != "contact":
            raise ValueError(f"only contacts can be written, not a {update.object}")
        other = [name for name in update.values if name not in outputs]
        if other or not update.values:
            raise ValueError(f"only output properties can be written, not {', '.join(other) or 'nothing'}")


def _receipt(update: FieldUpdate, *, refusal: Refusal | None = None) -> Receipt:
    return Receipt(object=update.object, record_id=update.record_id, refusal=refusal)


def _lost(name: str) -> Fatal:
    return Fatal(
        f"The output property {name} of contacts does not exist in HubSpot or cannot be written. Create it (Settings, "
        "Properties, contact property of the output's type), or take the output out of the connection's file."
    )
