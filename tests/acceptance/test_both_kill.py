"""kill -9 and SIGTERM while two CRMs are read and written: both end as if nobody had disturbed the pass."""

from random import Random

import pytest

from tests.acceptance import orgs
from tests.acceptance.conftest import BOTH, made_up
from tests.acceptance.processes import WRITES, Installation
from tests.acceptance.test_kill import FATES, MUCH, each, kill, rerun
from tests.acceptance.test_sigterm import ANSWERS, HANGS, assert_ended_well, stop_at

pytestmark = pytest.mark.slow

#: of all moments one in so many is tried
SHARE = pytest.mark.parametrize("share", [30, pytest.param(10, marks=pytest.mark.exhaustive)])


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """Few enough people for the guard, and no pass yet."""
    world, org = made_up(45, 45, seed=31)
    with Installation.make(world, tmp_path_factory.mktemp("both"), write=MUCH, org=org, crms=BOTH) as one:
        yield one


@pytest.fixture(scope="module")
def undisturbed(untouched, tmp_path_factory):
    """What both hold after a pass nobody disturbs, and its requests."""
    with untouched.twin(tmp_path_factory.mktemp("twin") / "twin") as twin:
        reports = twin.live_everywhere()
        assert all(report["written"] for report in reports.values())
        return twin.held(), twin.requests()


@SHARE
def test_killed_at_any_request(untouched, undisturbed, tmp_path, share):
    expected, requests = undisturbed
    rng = Random(6)
    last = len(requests) - 1  # the answer to the last one ends the pass
    every = [(n, fate) for n in range(last) for fate in FATES]
    moments = [(*moment, rng.random() / 50) for moment in sorted(rng.sample(every, len(every) // share))]
    moments += [(_first(requests, path), "is applied, its answer lost", 0.0) for path in WRITES.values()]
    assert len(moments) > 5

    def kill_at(place, n, fate, later_s):
        with untouched.twin(place) as one:
            kill(one, ["sync"], n=n, fate=fate, later_s=later_s)
            return orgs.differences(rerun(one), expected)

    assert each(moments, kill_at, tmp_path) == {moment: [] for moment in moments}


def _first(requests, path):
    return next(n for n, entry in enumerate(requests) if path in entry.target)


@pytest.mark.parametrize(("do", "remark"), [(ANSWERS, "the answer comes"), (HANGS, "the answer never comes")])
@pytest.mark.parametrize("at", ["/services/oauth2/token", "FROM+Contact", WRITES["salesforce"], WRITES["hubspot"]])
def test_told_to_stop_nothing_more_is_sent_to_either(untouched, undisturbed, tmp_path, at, do, remark):
    with untouched.twin(tmp_path / "one") as one:
        stopped = stop_at(one, n=0, path=at, do=do)
        assert_ended_well(stopped)
        assert orgs.differences(rerun(one), undisturbed[0]) == [], remark
