"""A pause holds until it is over or somebody resumes, for whoever opens the store."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from config import starters
from sync.cli import exits
from sync.cli.exits import CommandError
from sync.cli.worker import pause as pause_command
from sync.cli.worker import resume as resume_command
from sync.paused import pause, paused, resume
from sync.store.store import StoreError, open_store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def tx(tmp_path):
    store = open_store(str(tmp_path))
    with store.begin() as opened:
        yield opened
    store.close()


def test_it_is_not_paused_until_somebody_says_so(tx):
    assert paused(tx, NOW) is None
    assert not resume(tx)


def test_a_pause_without_an_end_holds_until_resumed(tx):
    pause(tx, now=NOW, why="moving the portal")
    found = paused(tx, NOW + 9_000 * HOUR)
    assert (found.since, found.until, found.why) == (NOW, None, "moving the portal")
    assert resume(tx)
    assert paused(tx, NOW) is None
    assert not resume(tx)


@pytest.mark.parametrize(("after", "holds"), [(HOUR, True), (2 * HOUR, False), (3 * HOUR, False)])
def test_a_pause_with_an_end_ends_by_itself(tx, after, holds):
    pause(tx, now=NOW, until=NOW + 2 * HOUR)
    assert (paused(tx, NOW + after) is not None) == holds


def test_the_newest_pause_counts(tx):
    pause(tx, now=NOW, until=NOW + HOUR, why="a")
    pause(tx, now=NOW + HOUR / 2, until=NOW + 3 * HOUR, why="b")
    assert paused(tx, NOW + 2 * HOUR).why == "b"


@pytest.mark.parametrize(
    ("until", "why", "said"),
    [
        (None, "", "paused"),
        (None, "fair", "paused: fair"),
        (NOW, "", "paused until 2026-11-22T12:00+00:00"),
        (NOW, "fair", "paused until 2026-11-22T12:00+00:00: fair"),
    ],
)
def test_it_says_until_when_and_why(tx, until, why, said):
    assert str(pause(tx, now=NOW, until=until, why=why)) == said


@pytest.fixture
def where(tmp_path, monkeypatch):
    """A config whose store is there and whose days begin in Berlin, an hour ahead of UTC."""
    monkeypatch.setenv("LEADMARK_NOW", NOW.isoformat())
    folder = tmp_path / "config"
    starters.write("b2b-saas", folder, ["hubspot"])
    file = folder / "leadmark.yaml"
    file.write_text(file.read_text().replace("time_zone: UTC", "time_zone: Europe/Berlin"))
    open_store(str(tmp_path / "leadmark-store")).close()
    return folder, None


def held(where, now=NOW):
    store = open_store(str(where[0].parent / "leadmark-store"))
    with store.begin() as tx:
        found = paused(tx, now)
    store.close()
    return found


@pytest.mark.parametrize(
    ("typed", "until", "remark"),
    [
        (None, None, "until somebody resumes"),
        ("2026-12-01T08:00", datetime(2026, 12, 1, 7, tzinfo=UTC), "in the installation's time zone"),
        ("2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC), "a day begins there"),
        ("2026-12-01T08:00Z", datetime(2026, 12, 1, 8, tzinfo=UTC), "in the zone it names"),
    ],
)
def test_what_is_typed_is_kept(where, capsys, typed, until, remark):
    assert pause_command(where, until=typed, why="fair", as_json=False) == exits.OK
    found = held(where)
    assert (found.since, found.until, found.why) == (NOW, until, "fair"), remark
    assert "leadmark resume" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "said"), [("tomorrow", "2026-12-01T08:00"), ("2026-11-22T12:59", "is over"), ("2025-01-01", "is over")]
)
def test_an_end_that_is_none_is_refused(where, typed, said):
    with pytest.raises(CommandError, match=said) as refused:
        pause_command(where, until=typed, why="", as_json=False)
    assert refused.value.code == exits.USAGE
    assert held(where) is None


def test_resuming_says_whether_it_was_paused(where, capsys):
    pause_command(where, until=None, why="", as_json=True)
    assert json.loads(capsys.readouterr().out)["paused"] is True
    for was in (True, False):
        assert resume_command(where, as_json=True) == exits.OK
        assert json.loads(capsys.readouterr().out) == {"paused": False, "was_paused": was}
    assert resume_command(where, as_json=False) == exits.OK
    assert capsys.readouterr().out == "it was not paused\n"
    assert held(where) is None


def test_there_is_nothing_to_pause_before_the_first_pass(where):
    for file in (where[0].parent / "leadmark-store").iterdir():
        file.unlink()
    with pytest.raises(StoreError, match="run a pass first"):
        pause_command(where, until=None, why="", as_json=False)
