"""What a person does, from the words of ``/_emulator/activities``."""

from collections.abc import Mapping
from typing import Any

from connectors.emulator.clock import iso, parse_ms
from connectors.emulator.hubspot.activities import MAIL_TYPES
from connectors.emulator.hubspot.deals import join_deal, leave_deal, open_deal
from connectors.emulator.hubspot.world import ENGAGEMENTS, World


def happen(world: World, what: Mapping[str, Any]) -> str:
    """The id of the new activity; raises ValueError, KeyError or a Refusal for what cannot be.

    ``what`` has ``kind`` (form_submission, email_event, list_join, list_leave, email, call, meeting, deal,
    deal_join, deal_leave), who (``contact`` id or ``email``), ``at`` (ISO or ms; default now), and by kind ``form`` and
    ``values``; ``type``, ``campaign``, ``url``, ``filtered``; ``list``; ``properties``; ``deal``, the id of one.
    """
    at_ms = parse_ms(str(what["at"])) if "at" in what else world.clock.now_ms()
    kind = str(what["kind"])
    if kind == "form_submission":
        form = str(what["form"])
        if form not in world.forms.names:
            raise ValueError(f"no form {form!r}; known are {', '.join(world.forms.names)}")
        values = {"email": _email(world, what), **what.get("values", {})}
        return str(world.forms.submit(form, values, at_ms, page_url=str(what.get("page_url", ""))))
    if kind == "email_event":
        return str(_mail(world, what, at_ms))
    if kind in ("list_join", "list_leave"):
        number, contact = int(what["list"]), _contact(world, what)
        if kind == "list_join":
            world.lists.join(number, contact, at_ms)
        else:
            world.lists.leave(number, contact)
        return str(contact)
    if kind == "deal":
        return str(open_deal(world, [_contact(world, what)], what.get("properties", {}), created_ms=at_ms).id)
    if kind in ("deal_join", "deal_leave"):
        change = join_deal if kind == "deal_join" else leave_deal
        change(world, world.row("deals", what["deal"]).id, _contact(world, what))
        return str(what["deal"])
    if f"{kind}s" in ENGAGEMENTS:
        properties = {"hs_timestamp": iso(at_ms), **what.get("properties", {})}
        return str(world.log_engagement(f"{kind}s", [_contact(world, what)], properties, at_ms=at_ms).id)
    raise ValueError(f"no activity {kind!r}")


def _mail(world: World, what: Mapping[str, Any], at_ms: int) -> int:
    type_, campaign = str(what["type"]), int(what["campaign"])
    if type_ not in MAIL_TYPES or campaign not in world.mail.campaigns:
        raise ValueError(f"types are {', '.join(MAIL_TYPES)}; campaigns are {sorted(world.mail.campaigns)}")
    email = _email(world, what)
    sent_by = None
    if type_ != "SENT":
        sent = world.mail.add("SENT", email, campaign, int(what.get("sent_ms", at_ms - 60_000)))
        sent_by = (sent.at_ms, sent.number)
    event = world.mail.add(
        type_,
        email,
        campaign,
        at_ms,
        url=str(what.get("url", "")),
        sent_by=sent_by,
        filtered=bool(what.get("filtered", False)),
    )
    return event.number


def _contact(world: World, what: Mapping[str, Any]) -> int:
    if "contact" in what:
        return world.row("contacts", what["contact"]).id
    found = world.contact_of(str(what["email"]))
    if found is None:
        raise ValueError("no contact has this address")
    return found


def _email(world: World, what: Mapping[str, Any]) -> str:
    if "email" in what:
        return str(what["email"])
    return world.row("contacts", what["contact"]).now.properties["email"]
