"""The characters a made-up person can play, and what each of them does.

Times and days are ranges, both ends included; days count back from now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.emulator import words


@dataclass(frozen=True, slots=True)
class Habit:
    """Something a character does some times within a span of days."""

    #: form, list, mail, email, call or meeting
    kind: str
    #: form guid or list id; "" where the kind says it all
    what: str
    times: tuple[int, int]
    days: tuple[float, float]
    #: of mails: chance of an opening, and of a click once opened
    opened: float = 0.0
    clicked: float = 0.0


@dataclass(frozen=True, slots=True)
class Character:
    """One kind of person."""

    name: str
    #: people of it among a hundred
    share: int
    habits: tuple[Habit, ...]
    titles: tuple[str, ...] = words.MIDDLE
    stages: tuple[str, ...] = ("lead",)
    lead_status: str = ""
    #: how many days ago sales set that status
    status_days: tuple[float, float] = (5, 60)
    #: "company", or the domains of the address; () = no address
    domains: tuple[str, ...] = ("company",)
    owned: bool = False
    #: chance of a date by which they need it, within four months
    need: float = 0.08
    budget: float = 0.1


def _mail(times: tuple[int, int], days: tuple[float, float], opened: float, clicked: float) -> Habit:
    return Habit("mail", "", times, days, opened, clicked)


_BUYING = (
    Habit("form", "demo-request", (1, 1), (0.1, 20)),
    Habit("form", "pricing-guide", (0, 1), (10, 60)),
    Habit("form", "webinar", (0, 2), (20, 120)),
    Habit("list", "101", (1, 1), (0.1, 15)),
    Habit("list", "103", (0, 1), (1, 30)),
    _mail((6, 9), (1, 200), 0.8, 0.5),
    Habit("email", "", (0, 2), (1, 20)),
)
_NURTURE = (
    Habit("form", "webinar", (0, 1), (30, 300)),
    Habit("form", "whitepaper", (0, 2), (20, 300)),
    Habit("list", "101", (0, 1), (60, 250)),
    _mail((3, 6), (1, 330), 0.4, 0.2),
)
CHARACTERS = (
    Character("ready_buyer", 6, _BUYING, words.SENIOR, need=0.7, budget=0.6, owned=True),
    Character("slow_nurture", 20, _NURTURE),
    Character(
        "gone_quiet",
        13,
        (
            Habit("form", "demo-request", (0, 1), (150, 360)),
            Habit("form", "webinar", (1, 2), (150, 360)),
            Habit("list", "101", (1, 1), (150, 340)),
            _mail((4, 7), (140, 360), 0.7, 0.3),
            Habit("call", "", (0, 1), (150, 300)),
        ),
    ),
    Character(
        "student",
        5,
        (
            Habit("form", "whitepaper", (4, 8), (1, 60)),
            Habit("list", "102", (0, 1), (1, 60)),
            _mail((2, 4), (1, 60), 0.9, 0.6),
        ),
        words.STUDENTS,
        ("subscriber",),
        domains=words.CAMPUS,
    ),
    Character(
        "competitor",
        3,
        (
            Habit("form", "pricing-guide", (1, 1), (1, 60)),
            Habit("form", "whitepaper", (1, 2), (1, 90)),
            Habit("list", "101", (1, 1), (1, 60)),
            _mail((2, 4), (1, 90), 0.9, 0.7),
        ),
        words.SENIOR,
        domains=words.RIVALS,
    ),
    Character("free_mail", 8, _NURTURE, domains=words.FREE_MAIL, stages=("subscriber", "lead")),
    Character("unsubscribed", 5, (*_NURTURE, Habit("form", "contact-us", (0, 1), (100, 300)))),
    Character("hard_bounce", 4, (Habit("form", "whitepaper", (1, 1), (30, 300)), _mail((1, 3), (20, 300), 0, 0))),
    Character(
        "recycled",
        5,
        (
            Habit("form", "demo-request", (1, 1), (60, 200)),
            Habit("call", "", (1, 2), (40, 90)),
            _mail((3, 6), (1, 200), 0.5, 0.3),
        ),
        words.SENIOR,
        ("salesqualifiedlead",),
        "BAD_TIMING",
        (20, 40),
        owned=True,
        budget=0.4,
    ),
    Character(
        "customer",
        7,
        (
            Habit("meeting", "", (1, 3), (10, 300)),
            Habit("call", "", (0, 2), (10, 300)),
            _mail((4, 8), (1, 330), 0.6, 0.3),
        ),
        words.SENIOR + words.MIDDLE,
        ("customer",),
        owned=True,
    ),
    Character("merged", 2, _NURTURE),
    Character("bot_clicked", 4, (_mail((4, 8), (1, 200), 1, 1),)),
    Character("quiet_executive", 5, (), words.CHIEFS, ("subscriber", "lead"), budget=0.3),
    Character(
        "intern",
        3,
        (
            Habit("form", "webinar", (1, 2), (1, 120)),
            Habit("form", "whitepaper", (1, 3), (1, 120)),
            Habit("list", "102", (0, 2), (1, 90)),
            _mail((3, 5), (1, 200), 0.9, 0.5),
        ),
        words.INTERNS,
    ),
    Character(
        "target_account",
        3,
        (
            Habit("form", "contact-us", (0, 1), (5, 90)),
            Habit("list", "101", (0, 1), (1, 60)),
            _mail((3, 6), (1, 200), 0.7, 0.3),
        ),
        words.SENIOR + words.CHIEFS,
        domains=words.TARGETS,
        owned=True,
        budget=0.5,
    ),
    Character(
        "accepted",
        3,
        (*_BUYING, Habit("call", "", (1, 3), (1, 20)), Habit("meeting", "", (1, 2), (-5, 15))),
        words.SENIOR,
        ("salesqualifiedlead",),
        "OPEN",
        (1, 15),
        owned=True,
        need=0.5,
        budget=0.5,
    ),
    Character(
        "no_email",
        2,
        (
            Habit("call", "", (1, 2), (5, 120)),
            Habit("list", "101", (0, 1), (5, 120)),
            Habit("meeting", "", (0, 1), (5, 120)),
        ),
        words.SENIOR + words.MIDDLE,
        domains=(),
    ),
    Character("accented_name", 2, _NURTURE),
)
BY_NAME = {character.name: character for character in CHARACTERS}
#: character -> chance of a deal or opportunity, what became of it, and days until it closes
DEALS: Mapping[str, tuple[float, Literal["won", "open", "lost"], tuple[int, int]]] = {
    "customer": (0.9, "won", (-300, -10)),
    "accepted": (0.6, "open", (5, 60)),
    "gone_quiet": (0.1, "lost", (-300, -160)),
}
