"""A changed config is taken over when it is good; a bad one is named once, and the last good one goes on."""

from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from config import starters
from config.loader import load
from config.secrets import SecretError
from sync.app import Quiet, open_runtime
from sync.reload import Current, Watched, digest, kept_problem
from sync.store.store import StoreError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HS_TOKEN", "pat-none")
    monkeypatch.setenv("HS_PORTAL", "1")
    starters.write("b2b-saas", tmp_path / "config", ["hubspot"])
    return tmp_path / "config"


class Opening:
    """Opens runtimes, and knows which are open."""

    def __init__(self):
        self.open = []

    @contextmanager
    def __call__(self, settings):
        with open_runtime(settings, progress=Quiet()) as runtime:
            self.open.append(settings)
            try:
                yield runtime
            finally:
                self.open.remove(settings)


@pytest.fixture
def opening():
    return Opening()


@pytest.fixture
def current(folder, opening):
    settings, _ = load(folder)
    one = Current(config=Watched(folder=folder, overlay=None, settings=settings), open=opening)
    one.begin()
    yield one
    one.close()
    assert not opening.open


def change(folder, before, after, file="models/b2b.yaml"):
    text = (folder / file).read_text()
    assert before in text
    (folder / file).write_text(text.replace(before, after))


def follow(current):
    """What it logs as (event, problem)."""
    with capture_logs() as logged:
        current.follow()
    return [(entry["log_level"], entry.get("problem", "")) for entry in logged]


def kept(current):
    with current.runtime.store.begin() as tx:
        return kept_problem(tx)


GOOD = ("weights: {fit: 40, engagement: 60}", "weights: {fit: 50, engagement: 50}")
BAD = ("weights: {fit: 40, engagement: 60}", "weights: {fit: 40, engagement: 70}")


def test_nothing_happens_while_nothing_changes(current, opening, folder):
    before = current.runtime
    (folder / "models/b2b.yaml").touch()
    assert follow(current) == []
    assert current.runtime is before
    assert len(opening.open) == 1


def test_a_good_change_is_taken_over_and_the_old_runtime_closed(current, opening, folder):
    change(folder, *GOOD)
    assert follow(current) == [("info", "")]
    assert current.runtime.settings.models["b2b"].weights.fit == 50
    assert opening.open == [current.runtime.settings]
    assert follow(current) == []


def test_a_bad_change_is_named_once_and_the_last_good_one_goes_on(current, folder):
    before = current.runtime
    change(folder, *BAD)
    ((level, problem),) = follow(current)
    assert level == "error"
    assert "models/b2b.yaml" in problem
    assert current.runtime is before
    assert kept(current) == current.problem == problem
    assert follow(current) == []


def test_every_mistake_is_named(current, folder):
    change(folder, *BAD)
    change(folder, "time_zone: UTC", "time_zone: Mars", "leadmark.yaml")
    told = follow(current)
    assert [problem.split(":")[0] for _, problem in told] == ["leadmark.yaml", "models/b2b.yaml"]
    assert kept(current).count("\n") == 1


def test_another_bad_change_is_named_again(current, folder):
    change(folder, *BAD)
    follow(current)
    change(folder, "engagement: 70", "engagement: 80")
    assert len(follow(current)) == 1


@pytest.mark.parametrize("mended", [(BAD[1], BAD[0]), (BAD[1], GOOD[1])], ids=["put back", "mended otherwise"])
def test_once_it_is_mended_nothing_is_said_of_it_any_more(current, folder, mended):
    change(folder, *BAD)
    follow(current)
    change(folder, *mended)
    assert follow(current) == [("info", "")]
    assert (current.problem, kept(current)) == ("", "")


def test_a_worker_that_begins_with_a_good_config_forgets_what_an_earlier_one_said(current, opening, folder):
    change(folder, *BAD)
    follow(current)
    change(folder, *reversed(BAD))
    current.close()
    again = Current(config=Watched(folder=folder, overlay=None, settings=load(folder)[0]), open=opening)
    again.begin()
    assert kept(again)
    again.follow()
    assert not kept(again)
    again.close()


def test_a_config_that_lost_all_its_files_is_a_bad_one(current, folder):
    before = current.runtime
    folder.rename(folder.with_name("gone"))
    assert follow(current)[0][0] == "error"
    assert current.runtime is before


def test_a_good_config_whose_secret_is_missing_waits_for_it(current, folder, monkeypatch, tmp_path):
    before = current.runtime
    change(folder, "env:HS_TOKEN", f"file:{tmp_path}/token", "connections/hubspot.yaml")
    ((level, problem),) = follow(current)
    assert (level, current.runtime) == ("error", before)
    assert "token" in problem
    assert kept(current) == problem
    assert follow(current) == [], "named once"
    (tmp_path / "token").write_text("pat-none")
    assert follow(current) == [("info", "")]
    assert current.runtime is not before
    assert not kept(current)


def test_a_store_that_cannot_be_opened_keeps_the_old_one(current, folder, tmp_path):
    before = current.runtime
    (tmp_path / "file").write_text("")
    change(folder, "store: ../leadmark-store", f"store: {tmp_path}/file", "leadmark.yaml")
    assert follow(current)[0][0] == "error"
    assert current.runtime is before


def test_an_address_in_a_bad_config_is_not_logged(current, folder):
    change(folder, "mode: shadow", "mode: jane@acme.example", "connections/hubspot.yaml")
    assert "acme" not in str(follow(current))


def test_at_the_start_what_is_missing_is_raised(folder, monkeypatch):
    monkeypatch.delenv("HS_TOKEN")
    settings, _ = load(folder)
    one = Current(config=Watched(folder=folder, overlay=None, settings=settings), open=Opening())
    with pytest.raises(SecretError):
        one.begin()
    one.close()


def test_a_store_that_fails_is_raised(current, folder):
    change(folder, *BAD)
    current.runtime.store.close()
    for file in (folder.parent / "leadmark-store").iterdir():
        file.unlink()
    (folder.parent / "leadmark-store").rmdir()
    with pytest.raises(StoreError):
        current.follow()


@pytest.mark.parametrize(
    ("write", "changes", "remark"),
    [
        ("models/b2b.yaml", True, "a file's text"),
        ("models/other.yaml", True, "a new file"),
        ("lists/rivals.txt", True, "a list"),
        ("connections/notes.txt", False, "nobody reads it"),
        (".git", False, "hidden"),
    ],
)
def test_the_digest_is_that_of_what_is_read(folder, write, changes, remark):
    before = digest(folder, None)
    (folder / write).parent.mkdir(exist_ok=True)
    (folder / write).write_text("x")
    assert (digest(folder, None) != before) == changes, remark


def test_the_overlay_counts_too(folder, tmp_path):
    overlay = tmp_path / "production.yaml"
    before = digest(folder, overlay)
    overlay.write_text("leadmark: {time_zone: UTC}")
    middle = digest(folder, overlay)
    overlay.write_text("leadmark: {time_zone: Europe/Berlin}")
    assert len({before, middle, digest(folder, overlay)}) == 3


def test_an_overlay_is_laid_over_what_is_taken_over(folder, opening, tmp_path):
    overlay = tmp_path / "production.yaml"
    overlay.write_text("leadmark: {time_zone: UTC}")
    settings, _ = load(folder, overlay)
    one = Current(config=Watched(folder=folder, overlay=overlay, settings=settings), open=opening)
    one.begin()
    overlay.write_text("leadmark: {time_zone: Europe/Berlin}")
    one.follow()
    assert one.runtime.settings.time_zone == "Europe/Berlin"
    one.close()
