"""Deals and the contacts they hang on.

A change of the contacts moves the deal's stamp, as HubSpot keeps their number on the deal; a merge of contacts does
not.
"""

from collections.abc import Iterable, Mapping

from connectors.emulator.hubspot.rows import Row
from connectors.emulator.hubspot.world import World


def open_deal(
    world: World,
    contacts: Iterable[int],
    values: Mapping[str, str],
    *,
    created_ms: int | None = None,
    updated_ms: int | None = None,
) -> Row:
    """A new deal on contacts, in the first stage unless told; both stamps default to now."""
    hung = list(dict.fromkeys(contacts))
    known = {"dealstage": "appointmentscheduled", "num_associated_contacts": str(len(hung)), **values}
    values = world.prepare("deals", known, read_only=True)
    row = world.create("deals", values, created_ms=created_ms, updated_ms=updated_ms)
    world.link("deals", row.id, hung)
    return row


def join_deal(world: World, deal: int, contact: int) -> None:
    """Hangs a deal on one more contact."""
    if contact not in world.linked("deals", deal, "contacts"):
        world.link("deals", deal, [contact])
    _count(world, deal)


def leave_deal(world: World, deal: int, contact: int) -> None:
    """Takes a deal off a contact; ValueError when it does not hang there."""
    world.unlink("deals", deal, contact)
    _count(world, deal)


def _count(world: World, deal: int) -> None:
    number = len(world.links["deals", "contacts"].get(deal, ()))
    world.write("deals", world.row("deals", deal), {"num_associated_contacts": str(number)}, source="CALCULATED")
