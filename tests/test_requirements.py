"""docs/requirements.md: every requirement has its line, and what it names is there."""

import re
from pathlib import Path

import pytest
import yaml

from tests.test_sync_cli import command_lines

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
#: area -> how many things are asked
ASKED = {
    "FIT": 7,
    "ENG": 6,
    "TIM": 6,
    "NEG": 6,
    "HAN": 6,
    "REC": 3,
    "TRU": 5,
    "LEA": 15,
    "ALI": 7,
    "COV": 3,
    "RAN": 4,
}
ROWS = {
    cells[0]: cells
    for line in TEXT.splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and re.fullmatch("[A-Z]{3}[0-9]+", cells[0])
}
SHOWN = [(name, cells[3].strip("`")) for name, cells in ROWS.items() if cells[3]]


def test_every_requirement_has_its_line_once():
    assert list(ROWS) == [f"{area}{number}" for area, count in ASKED.items() for number in range(1, count + 1)]
    assert len(re.findall(r"^\| [A-Z]{3}[0-9]+ ", TEXT, re.MULTILINE)) == sum(ASKED.values())


def test_what_shows_nothing_yet_is_marked_later():
    assert all(cells[3] or "**later" in cells[2] for cells in ROWS.values())


@pytest.mark.parametrize(("name", "shown"), SHOWN, ids=[name for name, _ in SHOWN])
def test_what_shows_it_is_there(name, shown):
    starter, _, case = shown.partition(": ")
    if case:
        cases = {
            key
            for path in (ROOT / "config" / "starters" / starter / "golden").glob("*.yaml")
            for key in yaml.safe_load(path.read_text(encoding="utf-8"))
        }
        assert case in cases
    elif shown.startswith("leadmark "):
        assert shown.removeprefix("leadmark ") in command_lines()
    else:
        assert (ROOT / shown).is_file()
