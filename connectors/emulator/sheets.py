"""CSV files as rows that know their line, and the types of columns nobody declared.

A problem reads ``contacts.csv:12: what, why, what to do``. It names columns, never what a cell holds.
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.emulator.clock import parse_ms


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file; empty cells are left out."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file."""

    name: str
    columns: Sequence[str]
    lines: Sequence[Line]


class RowError(ValueError):
    """Why a row is left out."""


class Problems:
    """What is wrong, file by file in the order they are read."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._found: dict[str, list[tuple[int, str]]] = {}

    def say(self, file: str, line: int, what: str) -> None:
        """Adds one problem."""
        self._found.setdefault(file, []).append((line, what))

    def each(self, sheet: Sheet | None, take: Callable[[Line], None]) -> None:
        """Takes every row of a sheet; what is wrong with one is a problem of its line."""
        if sheet is None:
            return
        for line in sheet.lines:
            try:
                take(line)
            except RowError as error:
                self.say(sheet.name, line.number, str(error))

    def in_order(self) -> list[str]:
        """All problems; those of a file by line."""
        return [f"{file}:{line}: {what}" for file, found in self._found.items() for line, what in sorted(found)]


def read_sheet(path: Path, problems: Problems, column: Callable[[str], str]) -> Sheet | None:
    """The rows of a file that could be read, or None without a usable header; ``column`` reads a header cell."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8; export it again as UTF-8" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        problems.say(path.name, 1, f"the file {reason}")
        return None
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    lines: list[Line] = []
    columns: list[str] = []
    start = 1
    try:
        for row in reader:
            start, line = reader.line_num + 1, start
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = [column(cell.strip()) for cell in row]
                if not _usable(path.name, line, columns, problems):
                    return None
            elif len(row) != len(columns):
                said = f"the row has {len(row)} cells and the header {len(columns)}; quote cells that hold commas"
                problems.say(path.name, line, said)
            else:
                cells = {name: cell.strip() for name, cell in zip(columns, row, strict=True) if cell.strip()}
                lines.append(Line(line, cells))
    except csv.Error as error:
        problems.say(path.name, start, f"the row is no CSV ({error}); mend its quotes. Nothing after it was read")
    if not columns:
        problems.say(path.name, 1, "the file has no header; the first line names the columns")
        return None
    return Sheet(path.name, columns, lines)


def _usable(file: str, line: int, columns: Sequence[str], problems: Problems) -> bool:
    twice = sorted({name for name in columns if columns.count(name) > 1 and name})
    if "" in columns:
        problems.say(file, line, f"column {columns.index('') + 1} has no name; name it or remove it")
    if twice:
        problems.say(file, line, f"the columns {', '.join(twice)} stand there twice; keep one of each")
    return "" not in columns and not twice


def slug(header: str) -> str:
    """A header as a property name; "" when nothing of it can stand in one.

    >>> slug("Lead Source (2026)")
    'lead_source_2026'
    """
    name = re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")
    return f"c_{name}"[:100] if name[:1].isdigit() else name[:100]


def guessed_type(values: Iterable[str]) -> str:
    """The narrowest of number, date, datetime and string that every value fits; string without values.

    >>> guessed_type(["1", "2.5"]), guessed_type(["2026-01-02"]), guessed_type(["2026-01-02", "2026-01-02 10:00"])
    ('number', 'date', 'datetime')
    """
    held = list(values)
    if not held:
        return "string"
    if all(re.fullmatch(r"[+-]?\d{1,15}(\.\d+)?", value) for value in held):
        return "number"
    if all(re.match(r"\d{4}-\d\d-\d\d", value) and _is_time(value) for value in held):
        return "date" if all(len(value) == 10 for value in held) else "datetime"
    return "string"


def _is_time(value: str) -> bool:
    try:
        parse_ms(value)
    except ValueError:
        return False
    return True
