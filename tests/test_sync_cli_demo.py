"""The demo tells what it must, and fails when a pass is not what it should be."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.cli import demo
from sync.report import ConnectionReport, RunReport

SCRIPT = Path(sys.executable).with_name("leadmark")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def leadmark_demo(tmp_path, *arguments):
    return subprocess.run(
        [SCRIPT, "demo", "--people", "250", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"},
        cwd=tmp_path,
    )


def test_the_demo_shows_the_whole_path_and_leaves_nothing_behind(tmp_path):
    done = leadmark_demo(tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(re.findall(r"leadmark sync --approve \w{8}\n", done.stdout)) == 2
    written = re.findall(r"written +0 +(\d+) +0\n", done.stdout)
    assert [int(each) > 100 for each in written] == [True, True]
    assert re.search(r"  (\d+) people, those in both CRMs once", done.stdout)
    assert len(set(re.findall(r"scored +(\d+) +0 +0\n", done.stdout))) == 1, "one person is scored once, for both"
    explained = done.stdout.split("One lead explained")[1].split("\n\n")[0]
    assert "MQL since" in explained
    *parts, total = [
        float(each) for each in re.findall(r"([-+]?[\d.]+)$", explained.split("points", 1)[1], re.MULTILINE)
    ]
    assert round(sum(parts), 2) == total
    assert "leadmark init DIR" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_as_json_gives_the_numbers_of_three_passes_and_nothing_else(tmp_path):
    done = leadmark_demo(tmp_path, "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["passes"]
    assert [list(each) for each in found["passes"]] == [["hubspot", "salesforce"]] * 3
    numbers = [each[name] for name in ("hubspot", "salesforce") for each in found["passes"]]
    assert all(list(each) == list(demo.NUMBERS) for each in numbers)
    assert all(type(value) is int for each in numbers for value in each.values())
    for first, second, third in (numbers[:3], numbers[3:]):
        assert first["planned"] == second["planned"] == second["written"] > 100
        assert first["written"] == third["written"] == third["planned"] == 0
        assert first["scored"] > first["planned"], "a person of both CRMs has two records"
        assert second["scored"] == third["scored"] == 0


GOOD = (
    {"state": "stopped_by_guard", "scored": 9, "planned": 9},
    {"state": "ok", "planned": 9, "written": 9},
    {"state": "ok"},
)
WRONG_CASES = [
    ("as it should be", 2, {}, ""),
    ("pass 1 written at once", 0, {"state": "ok", "written": 9}, "the guard did not stop pass 1"),
    ("a call failed", 0, {"state": "parked", "reason": "no answer"}, "pass 1 ended as parked: no answer"),
    ("one not written", 1, {"written": 8}, "pass 2 wrote 8 of 9 records"),
    ("one refused", 1, {"written": 8, "rejected": 1}, "1 were refused"),
    ("nothing to write", 1, {"planned": 0, "written": 0}, "pass 2 wrote 0 of 0 records"),
    ("our own writes scored", 2, {"scored": 9}, "pass 3 was not quiet: 9 scored"),
    ("something planned", 2, {"planned": 1}, "1 planned"),
    ("something written", 2, {"planned": 1, "written": 1}, "1 written"),
]


@pytest.mark.parametrize(("remark", "nth", "other", "says"), WRONG_CASES, ids=[case[0] for case in WRONG_CASES])
def test_a_pass_that_is_not_what_it_should_be_is_named(remark, nth, other, says):
    reports = [
        RunReport(
            pass_id=str(place),
            started_at=NOW,
            connections={"hubspot": ConnectionReport(**{**good, **(other if place == nth else {})})},
        )
        for place, good in enumerate(GOOD)
    ]
    found = demo.wrong_with(reports)
    assert (found == "") if not says else (says in found)


@pytest.mark.parametrize("begun", [NOW, NOW.replace(hour=23, minute=50), NOW.replace(hour=23, minute=59, second=59)])
def test_the_day_does_not_change_under_a_demo(begun):
    now = demo.demo_clock(begun)()
    assert (now + timedelta(minutes=9)).date() == now.date() == begun.date()
    assert begun - now < timedelta(minutes=16)


def test_a_starter_that_moved_on_is_said():
    with pytest.raises(Exception, match=r"0 lines '  mode: shadow', the demo needs one"):
        demo.replaced("write:\n  mode: canary\n", {"  mode: shadow": "  mode: live"})
