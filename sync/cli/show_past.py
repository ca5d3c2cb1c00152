"""One person on another day, and what the score changed by in between, as people read them."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from rich.console import Console

from scoring.difference import Why
from scoring.ledger import UNITS_PER_POINT
from sync.answers.past import Past
from sync.cli.show import line, table
from sync.cli.show_person import ledger

CENT = Decimal("0.01")
#: how a line of the difference came about
WHYS: Mapping[Why, str] = {
    "activity": "new",
    "decay": "faded",
    "time": "by the date",
    "silence": "",
    "recycle": "",
    "bound": "limit",
    "rounding": "",
    "disqualified": "",
}


def past(out: Console, found: Past) -> None:
    """The ledger of the day; where an earlier day was asked for, what changed since then instead."""
    for record in found.records:
        line(out, (record, "bold"))
    line(out, _remark(found))
    out.print()
    if found.ledger is None:
        out.print(f"Not scored by model {found.model}: outside its audience, or not to be profiled")
    elif found.before is None:
        ledger(out, found.ledger, found.day)
    else:
        _shifts(out, found)


def _remark(found: Past) -> str:
    if found.day > found.today:
        return f"On {found.day}, if nothing is done until then"
    if found.day < found.today:
        return f"Activities up to {found.day}; facts, model and sales' word as of now"
    return f"On {found.day}"


def _shifts(out: Console, found: Past) -> None:
    """The lines of the difference, shown in hundredths; what that rounding changes goes into the rounding line."""
    assert found.ledger is not None
    assert found.before is not None
    before, now = found.before.score, found.ledger.score
    line(out, (f"From {before} on {found.since} to {now} on {found.day}", "bold"))
    shown = Decimal(0)
    rows: list[tuple[str, str, str]] = []
    for shift in sorted(found.shifts, key=lambda each: -abs(each.units)):
        points = (Decimal(shift.units) / UNITS_PER_POINT).quantize(CENT, ROUND_HALF_UP)
        if shift.why != "rounding" and points:
            shown += points
            rows.append((shift.label, WHYS[shift.why], f"{points:+}"))
    if shown != now - before:
        rows.append(("Rounding", "", f"{now - before - shown:+}"))
    rows.append(("Change of the score", "", f"{now - before:+}.00"))
    table(out, ("", "", "points"), rows, right=(2,), flexible=(0,))
