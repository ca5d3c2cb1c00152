"""The two changes that make a record's id disappear: a merge, and an erasure on request."""

from collections.abc import Iterable

from connectors.emulator.hubspot.rows import Row
from connectors.emulator.hubspot.world import ENGAGEMENTS, World
from connectors.emulator.wire import invalid

#: what hangs on contacts
_HANGING = (*ENGAGEMENTS, "deals")


def merge(world: World, kind: str, primary: Row, other: Row, *, at_ms: int | None = None) -> Row:
    """The survivor: a new id, the primary's values first; both old ids answer for it from then on (``at_ms``: now)."""
    if primary is other:
        raise invalid("Cannot merge a record with itself")
    table = world.table(kind)
    now_ms = world.clock.now_ms() if at_ms is None else at_ms
    new_id = table.next_id()
    held = [(row.id, row.now.properties) for row in (primary, other)]
    values = {**other.now.properties, **primary.now.properties}
    values["hs_merged_object_ids"] = _joined(
        text for row_id, old in held for text in (old.get("hs_merged_object_ids", ""), str(row_id))
    )
    if table.kind == "contacts":
        values["hs_calculated_merged_vids"] = _joined(
            text for row_id, old in held for text in (old.get("hs_calculated_merged_vids", ""), f"{row_id}:{now_ms}")
        )
        emails = _joined(
            text for name in ("email", "hs_additional_emails") for _, old in held for text in [old.get(name, "")]
        ).split(";")
        values["email"] = emails[0]
        values["hs_additional_emails"] = ";".join(emails[1:])
        world.addresses.update((email.casefold(), new_id) for email in emails if email)
        for old_id, _ in held:
            world.lists.move(old_id, new_id)
        for kind_ in _HANGING:
            _relink(world, kind_, "contacts", {primary.id, other.id}, new_id)
    if table.kind == "deals":
        _relink(world, "contacts", "deals", {primary.id, other.id}, new_id)
        values["num_associated_contacts"] = str(len(world.links["deals", "contacts"].get(new_id, ())))
    if table.kind == "companies":
        old_ids = {str(primary.id), str(other.id)}
        for contact in list(world.tables["contacts"].live()):
            if contact.now.properties.get("associatedcompanyid") in old_ids:
                world.write("contacts", contact, {"associatedcompanyid": str(new_id)}, source="MERGE")
    for row in (primary, other):
        table.remove(row)
        table.aliases[row.id] = new_id
    created_ms = min(primary.created_ms, other.created_ms)
    survivor = world.create(table.kind, values, created_ms=created_ms, updated_ms=now_ms, row_id=new_id)
    survivor.history = {**other.history, **primary.history}
    return survivor


def erase(world: World, contact: Row) -> None:
    """Removes a contact, what hangs on it and what its addresses did, for good; its addresses are blocked."""
    values = contact.now.properties
    for email in _joined([values.get("email", ""), values.get("hs_additional_emails", "")]).casefold().split(";"):
        world.addresses.pop(email, None)
        world.blocked.add(email)
        world.forms.forget(email)
        world.mail.forget(email)
    world.blocked.discard("")
    world.lists.move(contact.id, None)
    for kind in _HANGING:
        for item in world.links["contacts", kind].pop(contact.id, []):
            world.links[kind, "contacts"][item].remove(contact.id)
    world.tables["contacts"].remove(contact)


def _relink(world: World, kind: str, of: str, old_ids: set[int], new_id: int) -> None:
    """What hung on the old ids of ``of`` hangs on the new one."""
    moved = [item for old in old_ids for item in world.links[of, kind].pop(old, [])]
    if moved:
        world.links[of, kind][new_id] = sorted(set(moved))
    for item in moved:
        back = world.links[kind, of]
        back[item] = list(dict.fromkeys(new_id if owner in old_ids else owner for owner in back[item]))


def _joined(texts: Iterable[str]) -> str:
    return ";".join(dict.fromkeys(part for text in texts for part in text.split(";") if part))
