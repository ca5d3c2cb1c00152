"""What people read who never saw the product: the handbook of a starter, and ``explain`` of six characters.

Everything is as a terminal of 80 columns shows it. Where words changed on purpose, read what they say now, and write
it anew with ``SNAPSHOTS=write pytest tests/acceptance/test_snapshots.py``.
"""

import io
import os
from pathlib import Path

from rich.console import Console

from config import starters
from config.loader import load
from scoring.handbook import handbook
from sync.answers.explain import explained as explained_of
from sync.answers.explain import scoring_of
from sync.cli import show_person
from sync.cli.document import markdown
from tests.acceptance.conftest import BOTH, NOW

SNAPSHOTS = Path(__file__).parents[1] / "data" / "snapshots"
#: ready to buy, reads everything but prices, shut out, gone quiet, handed back by sales, did nothing yet
CHARACTERS = ("ready_buyer", "student", "competitor", "gone_quiet", "recycled", "quiet_executive")
COLUMNS = 80
WRITE = os.environ.get("SNAPSHOTS") == "write"


def same(name, shown):
    """The text is the snapshot of that name, and fits the columns."""
    assert [line for line in shown.splitlines() if len(line) > COLUMNS or line != line.rstrip()] == []
    file = SNAPSHOTS / name
    if WRITE:
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_the_handbook_of_the_b2b_starter_for_both_crms(tmp_path):
    starters.write("b2b-saas", tmp_path / "config", BOTH)
    settings, _ = load(tmp_path / "config")
    same("handbook.md", markdown(handbook(settings.models[settings.primary], NOW.date())))


def explained(portal, contact):
    """What ``explain`` prints of a person."""
    number = portal.row(contact).person
    with portal.runtime.store.begin() as tx:
        found = explained_of(tx, number, scoring_of(tx, portal.runtime.settings, portal.world.clock.now()))
    out = terminal()
    show_person.person(out, found, reveal=False)
    return out.file.getvalue()


def terminal():
    """A terminal without colours, set up as ``sync.cli.opening.stdout`` does."""
    return Console(
        file=io.StringIO(),
        width=COLUMNS,
        force_terminal=True,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def test_explain_of_six_characters(portals):
    portal = portals(20, crms=BOTH, org_people=20, share=1)
    portal.live_everywhere()
    portal.reach(minutes=16)
    played = {row.now.properties["emulator_character"]: row.id for row in portal.world.tables["contacts"].live()}
    for name in CHARACTERS:
        same(f"explain-{name.replace('_', '-')}.txt", explained(portal, played[name]))
