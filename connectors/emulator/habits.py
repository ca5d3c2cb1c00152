"""What a habit leaves in a portal: submissions, list joins, mail events, engagements."""

from collections.abc import Mapping
from random import Random

from connectors.emulator.characters import Habit
from connectors.emulator.clock import DAY_MS, iso
from connectors.emulator.hubspot.world import World

_MINUTE_MS = 60_000
_PAGES = ("pricing", "product", "customers", "blog/choosing-well", "webinars")


def act(world: World, rng: Random, habit: Habit, at_ms: int, contact: int, properties: Mapping[str, str]) -> None:
    """Does a habit once at an instant. Who has no address leaves no submission and no mail event."""
    email = properties.get("email", "")
    character = properties["emulator_character"]
    match habit.kind:
        case "list":
            world.lists.join(int(habit.what), contact, at_ms)
        case "form" if email:
            values = {"email": email, "firstname": properties["firstname"], "lastname": properties["lastname"]}
            world.forms.submit(habit.what, values, at_ms, page_url=f"https://seller.example/{habit.what}")
        case "mail" if email:
            _mail(world, rng, habit, at_ms, email, character)
        case "email":
            incoming = rng.random() < 0.5
            logged = {
                "hs_email_direction": "INCOMING_EMAIL" if incoming else "EMAIL",
                "hs_email_status": "SENT",
                "hs_email_subject": rng.choice(("Next steps", "Your question", "Offer", "Following up")),
            }
            world.log_engagement("emails", [contact], logged, at_ms=at_ms, logged_ms=at_ms + _MINUTE_MS)
        case "call":
            logged = {
                "hs_call_title": "Call",
                "hs_call_direction": "OUTBOUND",
                "hs_call_status": "COMPLETED" if rng.random() < 0.7 else "NO_ANSWER",
                "hs_call_duration": str(rng.randrange(10, 1800) * 1000),
            }
            world.log_engagement("calls", [contact], logged, at_ms=at_ms, logged_ms=at_ms + _MINUTE_MS)
        case "meeting":
            held = at_ms <= world.clock.now_ms()
            logged = {
                "hs_meeting_title": "Meeting",
                "hs_meeting_outcome": "COMPLETED" if held else "SCHEDULED",
                "hs_meeting_start_time": iso(at_ms),
                "hs_meeting_end_time": iso(at_ms + 30 * _MINUTE_MS),
            }
            logged_ms = min(at_ms, world.clock.now_ms()) - DAY_MS
            world.log_engagement("meetings", [contact], logged, at_ms=at_ms, logged_ms=logged_ms)


def _mail(world: World, rng: Random, habit: Habit, at_ms: int, email: str, character: str) -> None:
    """One copy of a mail from sending to click; nothing happens later than now."""
    campaign = rng.choice(tuple(world.mail.campaigns))
    sent = world.mail.add("SENT", email, campaign, at_ms)
    sent_by = (sent.at_ms, sent.number)
    now_ms = world.clock.now_ms()

    def event(type_: str, after_ms: int, *, url: str = "", filtered: bool = False) -> None:
        if at_ms + after_ms <= now_ms:
            world.mail.add(type_, email, campaign, at_ms + after_ms, url=url, sent_by=sent_by, filtered=filtered)

    if character == "hard_bounce":
        event("BOUNCE", 4_000)
        return
    event("DELIVERED", 3_000)
    if character == "bot_clicked":
        # a mail scanner opens every link within two seconds; HubSpot catches some of it
        caught = rng.random() < 0.4
        event("OPEN", 3_400, filtered=caught)
        for place, page in enumerate(_PAGES[:3]):
            event("CLICK", 3_800 + 400 * place, url=f"https://seller.example/{page}", filtered=caught)
        return
    if rng.random() < habit.opened:
        opened_ms = rng.randrange(5 * _MINUTE_MS, 2 * DAY_MS)
        event("OPEN", opened_ms)
        if rng.random() < habit.clicked:
            event(
                "CLICK", opened_ms + rng.randrange(5_000, 200_000), url=f"https://seller.example/{rng.choice(_PAGES)}"
            )
