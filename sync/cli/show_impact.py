"""The impact of another config, as people read it: who moves and why, statuses in and out, what would be written."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console

from scoring.wording import STATUS_WORDS
from sync.answers.against import Compared
from sync.answers.impact import NONE, TENS, ModelImpact, Moved, Part, Spread, Stand, shares
from sync.answers.needed import Writes
from sync.answers.simulate import Impact
from sync.answers.unread import Unread
from sync.cli.opening import count
from sync.cli.show import line, pairs, short_id, table, value_text
from sync.cli.show_catalog import people
from sync.cli.show_pass import GUARDED

GROUPS = ("A", "B", "C", "D", "F")
LEVELS = ("1", "2", "3", "4")
WORDS = {NONE: "(not scored)", **{str(status): words for status, words in STATUS_WORDS.items()}}
QUARTERS = ("lowest", "low", "high", "highest")
#: rank correlations from which two scores have something in common, and much
FAINT, CLOSE = 0.3, 0.7
#: digits of a digest shown
DIGITS = 8


def impact(out: Console, found: Impact, *, limit: int) -> None:
    """All of it; lists of at most ``limit`` rows."""
    for one in found.models:
        _model(out, one, found, limit)
    for each in found.writes:
        _writes(out, each)
    _unread(out, found.unread)


def short(out: Console, found: Impact) -> None:
    """The impact of each model in a few lines."""
    for one in found.models:
        line(out, *_head(one))
        pairs(out, _numbers(one))
    for each in found.writes:
        if each.records:
            _writes(out, each)


def compared(out: Console, found: Compared) -> None:
    """Our score beside another."""
    line(out, (found.model, "bold"), " beside ", (found.field, "bold"), f", for {people(found.people)} who have both")
    out.print()
    rows = [("same order", _order(found.correlation))]
    rows += [("only ours", f"{people(found.without)} without a value there")] * bool(found.without)
    rows += [("unreadable", f"{count(found.unreadable, 'value')} there that is no number")] * bool(found.unreadable)
    pairs(out, rows)
    if not found.people:
        return
    head = (found.field, *(f"ours {quarter}" for quarter in QUARTERS))
    cells = [(quarter, *map(str, row)) for quarter, row in zip(QUARTERS, found.quarters, strict=True)]
    _titled(out, "People by quarter of both scores", head, cells, right=(1, 2, 3, 4), flexible=(0,))
    apart = [
        (short_id(one.records[0]), str(one.ours), f"{one.theirs:g}", f"{one.our_place} %", f"{one.their_place} %")
        for one in found.apart
    ]
    head = ("record", "ours", "theirs", "our place", "their place")
    _titled(out, "Furthest apart, by place from the bottom", head, apart, right=(1, 2, 3, 4))


def _order(correlation: float | None) -> str:
    if correlation is None:
        return "cannot be told: one of the two is the same for everybody"
    known = abs(correlation)
    words = "hardly related" if known < FAINT else "related" if known < CLOSE else "much alike"
    opposite = ", the other way round" if correlation <= -FAINT else ""
    return f"{words}{opposite} (rank correlation {correlation:+.2f}; 1 is the same order)"


def _model(out: Console, one: ModelImpact, found: Impact, limit: int) -> None:
    line(out, *_head(one), f", for {people(found.people)}")
    out.print()
    pairs(out, _numbers(one))
    if one.quiet:
        out.print()
        return
    _movers(out, "Furthest up", one.risen, one.total.up)
    _movers(out, "Furthest down", one.fallen, one.total.down)
    _movers(out, "New MQLs", one.new_mql, one.total.new_mql)
    _movers(out, "No longer MQL", one.lost_mql, one.total.lost_mql)
    rows = [(WORDS[a], WORDS[b], str(number)) for (a, b), number in one.statuses.most_common() if a != b]
    _titled(out, "Statuses that change", ("from", "to", "people"), rows, right=(2,))
    _parts(out, "By owner", "owner", one.owners, limit)
    _parts(out, "By segment", "segment", {name: part for name, part in one.segments.items() if name}, limit)
    _distribution(out, *one.spread)
    out.print()


def _head(one: ModelImpact) -> Iterator[tuple[str, str] | str]:
    before, after = (rules and rules[:DIGITS] for rules in one.rules)
    yield (one.model, "bold")
    if before == after:
        yield f": the rules that score now (version {after})"
    elif before is None:
        yield f": version {after} of the rules, where none score now"
    elif after is None:
        yield f": no rules, where version {before} scores now"
    else:
        yield f": version {after} of the rules in place of {before}"


def _numbers(one: ModelImpact) -> list[tuple[str, str]]:
    """What changes in all, or that nothing does."""
    if one.quiet:
        return [("moves", "nobody; no status changes")]
    total, (was, now) = one.total, one.scored
    rows = [("scored", people(now) if was == now else f"{was} -> {people(now)}")]
    rows += [("newly in the audience", people(one.entering))] * bool(one.entering)
    rows += [("no longer in the audience", people(one.leaving))] * bool(one.leaving)
    rows += [("move", f"{people(total.up + total.down)}, {total.up} up and {total.down} down (5 points or the tier)")]
    return [*rows, ("become MQL", people(total.new_mql)), ("stop being MQL", people(total.lost_mql))]


def _movers(out: Console, title: str, moved: Sequence[Moved], total: int) -> None:
    rows = [
        (
            short_id(one.records[0]),
            _arrow(one, lambda stand: str(stand.score)),
            _arrow(one, lambda stand: stand.tier),
            value_text(f"{one.reason} {one.tenths / 10:+g}") if one.reason else "",
        )
        for one in moved
    ]
    _titled(out, title, ("record", "score", "tier", "why, in points"), rows, flexible=(3,))
    if total > len(rows):
        out.print(f"  and {total - len(rows)} more; --limit shows more")


def _arrow(one: Moved, of: Callable[[Stand], str]) -> str:
    before, after = (of(stand) if stand else "not scored" for stand in (one.before, one.after))
    return after if before == after else f"{before} -> {after}"


def _parts(out: Console, title: str, what: str, parts: Mapping[str, Part], limit: int) -> None:
    changed = shares(parts)
    rows = [
        (name, *map(str, (part.people, part.up, part.down, part.new_mql, part.lost_mql)))
        for name, part in changed[:limit]
    ]
    head = (what, "people", "up", "down", "new MQL", "MQL no more")
    _titled(out, title, head, rows, right=(1, 2, 3, 4, 5), flexible=(0,))
    if len(changed) > limit:
        out.print(f"  and {len(changed) - limit} more; --limit shows more")


def _distribution(out: Console, before: Spread, after: Spread) -> None:
    rows = [(name, *_change(before.tens[name], after.tens[name])) for name in TENS]
    _titled(out, "Scores", ("score", "now", "then", ""), rows, right=(1, 2, 3))
    rows = [(name, *_change(before.grades[name], after.grades[name])) for name in GROUPS]
    _titled(out, "Grades", ("grade", "now", "then", ""), rows, right=(1, 2, 3))
    cells = [
        (letter, *(_cell(before.tiers[letter + level], after.tiers[letter + level]) for level in LEVELS))
        for letter in GROUPS[:-1]
    ]
    _titled(out, "Tiers, by grade and level of engagement", ("", *LEVELS), cells, right=(1, 2, 3, 4))


def _change(before: int, after: int) -> tuple[str, str, str]:
    return str(before), str(after), f"{after - before:+d}" if before != after else ""


def _cell(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} -> {after}"


def _titled(
    out: Console,
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    flexible: Sequence[int] = (),
) -> None:
    """A table under its title, after a blank line; nothing without rows."""
    if rows:
        out.print()
        line(out, (title, "bold"))
        table(out, head, rows, right=right, flexible=flexible)


def _writes(out: Console, one: Writes) -> None:
    """What one connection would get, and what the guard would say."""
    held = f"; {one.held_back} held back as too small a change" if one.held_back else ""
    line(
        out, (one.connection, "bold"), f": {count(one.records, 'record')} to write in {count(one.calls, 'call')}{held}"
    )
    if one.left_out:
        out.print(f"  {count(one.left_out, 'record')} left out (quarantine, canary)")
    if one.exceeded:
        out.print("  The guard would stop it: with the last 24 hours, this is larger than allowed")
        rows = [(GUARDED.get(name, name), str(total), str(bound)) for name, (total, bound) in one.exceeded.items()]
        table(out, ("", "would be", "at most"), rows, right=(1, 2), indent=4)
    elif one.records and one.mode != "shadow":
        out.print("  The guard would let it through")
    if one.records and one.mode == "shadow":
        out.print(f"  Nothing is written while write.mode in connections/{one.connection}.yaml is shadow")


def _unread(out: Console, found: Unread) -> None:
    if not found:
        return
    out.print()
    line(out, ("What the store cannot tell", "bold"))
    rows = [(name, "never read, so its people are left out") for name in found.connections]
    rows += [(name, "this fact was not read, so it is unknown here") for name in found.facts]
    rows += [(name, "these activities were not read, so nobody has any") for name in found.kinds]
    rows += [(name, "as the config in use reads it; it would be read otherwise") for name in found.otherwise]
    pairs(out, rows)
