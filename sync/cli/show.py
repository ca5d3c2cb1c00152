"""Results as people read them in a terminal: no line wraps, no id is cut, long values are, unless asked for whole.

Where stdout is no terminal nothing is cut. Values come from a CRM: they are printed as text, never as markup.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

EMPTY = "(empty)"
ELLIPSIS = "…"
WIDE = 10_000  # columns where nobody reads: nothing is cut


def width_of(out: Console) -> int:
    """The columns there are to fill; very many where stdout is no terminal."""
    return out.width if out.is_terminal else WIDE


def value_text(value: Any) -> str:
    r"""A value on one line.

    >>> value_text(None), value_text("a\nb"), value_text(True)
    ('(empty)', 'a b', 'yes')
    """
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return " ".join("".join(each if each.isprintable() else " " for each in str(value)).split())


def short_id(record: str) -> str:
    """A record as a person types it.

    >>> short_id("hubspot:contact:1001")
    'hubspot:1001'
    """
    connection, _, crm_id = record.split(":", 2)
    return f"{connection}:{crm_id}"


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` characters, with an ellipsis where something is missing.

    >>> cut("Asked for a demo", 9)
    'Asked fo…'
    """
    return text if len(text) <= width else text[: max(width - 1, 0)] + ELLIPSIS


def line(out: Console, *parts: tuple[str, str] | str) -> None:
    """One line of parts, each plain or with its style; cut at the terminal's edge."""
    text = Text.assemble(*parts)
    text.truncate(width_of(out), overflow="ellipsis")
    out.print(text)


def pairs(out: Console, rows: Iterable[tuple[str, str]], *, indent: int = 2, whole: bool = False) -> None:
    """Names and what they hold, aligned; with ``whole`` a long text goes on in lines of its own."""
    rows = list(rows)
    widest = max((len(name) for name, _ in rows), default=0)
    room = max(width_of(out) - indent - widest - 2, 20)
    for name, held in rows:
        parts = textwrap.wrap(held, room, break_on_hyphens=False) if whole else [held]
        for nth, part in enumerate(parts):
            line(out, " " * indent, (("" if nth else name).ljust(widest), "dim"), "  ", part)


def table(
    out: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    flexible: Sequence[int] = (),
    indent: int = 2,
) -> None:
    """A table without frames. Columns in ``flexible`` give way when the terminal is narrow; no other is ever cut."""
    widths = [max([len(head), *(len(row[place]) for row in rows)]) for place, head in enumerate(columns)]
    _shrink(widths, flexible, width_of(out) - indent - 2 * (len(columns) - 1))
    if any(columns):
        line(out, (_row(columns, widths, right, indent), "dim"))
    for row in rows:
        line(out, _row(row, widths, right, indent))


def _shrink(widths: list[int], flexible: Sequence[int], room: int) -> None:
    """Takes from the widest flexible column, again and again, until all fit or nothing is left to take."""
    while flexible and sum(widths) > room:
        widest = max(flexible, key=lambda place: widths[place])
        if widths[widest] <= 8:
            return
        widths[widest] -= 1


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[int], indent: int) -> str:
    padded = (
        cut(cell, width).rjust(width) if place in right else cut(cell, width).ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return (" " * indent + "  ".join(padded)).rstrip()


def changes(out: Console, fields: Mapping[str, tuple[Any, Any]], *, indent: int = 4) -> None:
    """Fields with old -> new, each on its line."""
    widest = max((len(name) for name in fields), default=0)
    room = width_of(out) - indent - widest - 2 - 4
    for name, (old, new) in fields.items():
        before, after = value_text(old), value_text(new)
        if len(before) + len(after) > room:  # the new value matters more
            before = cut(before, max(room // 3, room - len(after)))
            after = cut(after, room - len(before))
        line(out, " " * indent, name.ljust(widest), "  ", (before, "dim"), " -> ", after)
