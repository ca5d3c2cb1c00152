"""kill -9 at any moment of a pass, then a rerun: the CRM ends exactly as without the kill.

World and score day stand still until the rerun ends. Moments are drawn from a fixed seed. Every property of every
record is compared, and when it was last changed.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from random import Random
from threading import Timer
from time import monotonic
from types import MappingProxyType

import pytest

from connectors.emulator.people import make_world
from tests.acceptance.processes import NOW, WRITE, Installation, Moment, ended

pytestmark = pytest.mark.slow

KILLS = pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.exhaustive)])
#: runs side by side: a pass waits for the CRM's rate more than it computes
SIDE_BY_SIDE = 3
MUCH = {"guard": {"new_mql": 10_000, "lost_mql": 10_000, "cleared": 10_000, "changed": "100%"}}


def differences(one, other):
    """(object, id, property, value here, value there) wherever two portals differ."""
    return [
        (kind, id_, name, here.get(id_, {}).get(name), there.get(id_, {}).get(name))
        for kind in one
        for here, there in [(one[kind], other[kind])]
        for id_ in here.keys() | there.keys()
        for name in here.get(id_, {}).keys() | there.get(id_, {}).keys()
        if here.get(id_, {}).get(name) != there.get(id_, {}).get(name)
    ]


def each(moments, kill_at, tmp_path):
    """Runs ``kill_at(place, *moment)`` for each moment, a few at a time; what came out, by moment.

    The last of a moment is a time in seconds. It is halved and tried again elsewhere when a run was so quick, or the
    machine so slow, that the kill came too late.
    """

    def one(number, moment):
        *where, later_s = moment
        for attempt in range(8):
            place = tmp_path / f"kill{number}-{attempt}"
            with suppress(TooLateError):
                return kill_at(place, *where, later_s / 2**attempt)
        raise AssertionError(f"every kill at {moment} came too late")

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(moments, pool.map(one, range(len(moments)), moments), strict=True))


class TooLateError(Exception):
    """The pass was over, or further than meant, when it was to be killed."""


#: what becomes of the request at which the process dies
NEVER_ARRIVES, ANSWER_IS_LOST, ANSWERED = "never arrives", "is applied, its answer lost", "is answered, a little later"
FATES = {NEVER_ARRIVES: {"drop": "before"}, ANSWER_IS_LOST: {"drop": "after_apply"}, ANSWERED: {}}


def kill(one, words, *, n, fate=ANSWERED, path="", later_s=0.0):
    """Runs the command and kills it at its n-th request; TooLateError when it ended before."""
    process = one.start(*words)
    die = Timer(later_s, process.kill).start if fate == ANSWERED else process.kill
    moment = one.at(Moment(n=n, path=path, then=die, do=FATES[fate]))
    code = ended(process).code
    assert moment.reached.is_set()
    if code == 0:
        raise TooLateError
    assert code == -9


def rerun(one):
    """What the portal holds after the next pass, which nobody disturbs."""
    done = one.run("sync", "--json")
    assert done.code == 0, done
    return one.held()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A hundred people, few enough for the guard, and no pass yet."""
    with Installation.make(make_world(100, 11, now=NOW), tmp_path_factory.mktemp("pull"), write=MUCH) as one:
        yield one


@KILLS
def test_during_pull(untouched, tmp_path, kills):
    with untouched.twin(tmp_path / "twin") as twin:
        assert twin.live()["written"] == 100
        expected = twin.held()
        requests = [WRITE in entry.target for entry in twin.requests()].index(True)
    rng = Random(1)
    moments = [(n, rng.choice(list(FATES)), rng.random() / 50) for n in sorted(rng.sample(range(requests - 1), kills))]

    def kill_at(place, n, fate, later_s):
        with untouched.twin(place) as one:
            kill(one, ["sync"], n=n, fate=fate, later_s=later_s)
            assert not one.writes()
            return differences(rerun(one), expected)

    assert each(moments, kill_at, tmp_path) == {moment: [] for moment in moments}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Four hundred people, pulled and scored; the guard asks. (installation, code of the plan)"""
    with Installation.make(make_world(400, 12, now=NOW), tmp_path_factory.mktemp("push"), write=MUCH) as one:
        done = one.run("sync", "--json")
        assert done.code == 3, done
        yield one, done.report()["code"]


@KILLS
def test_during_push(stopped, tmp_path, kills):
    before, code = stopped
    with before.twin(tmp_path / "twin") as twin:
        assert twin.run("sync", "--approve", code).code == 0
        expected, batches = twin.held(), len(twin.writes())
    rng = Random(2)
    every = [(n, fate, lag_s) for n in range(batches) for fate in FATES for lag_s in (0, 300)]
    moments = [(*moment, rng.random() / 50) for moment in sorted(rng.sample(every, kills))]

    def kill_at(place, n, fate, lag_s, later_s):
        with before.twin(place) as one:
            one.world.index_lag_s = lag_s  # with a lag the rerun does not see what was written
            kill(one, ["sync", "--approve", code], n=n, fate=fate, path=WRITE, later_s=later_s)
            return differences(rerun(one), expected)

    assert each(moments, kill_at, tmp_path) == {moment: [] for moment in moments}


@pytest.fixture(scope="module")
def next_day(tmp_path_factory):
    """More people than one transaction scores, all written and read back; then a day with edits and visits goes by."""
    with Installation.make(make_world(2100, 13, now=NOW), tmp_path_factory.mktemp("score"), write=MUCH) as one:
        one.live()
        move(one, minutes=20)
        assert one.run("sync").code == 0
        move(one, hours=23)
        rng = Random(3)
        for row in rng.sample(list(one.world.tables["contacts"].live()), 150):
            one.world.edit("contacts", row.id, {"jobtitle": rng.choice(["CEO", "Intern", "Head of IT"])})
            one.world.lists.join(101, row.id, one.world.clock.now_ms())
        move(one, hours=1)
        yield one


def move(one, **span):
    """Both clocks go on."""
    one.now += timedelta(**span)
    one.world.clock.set(one.now)


class Times:
    """Notes when each request came; strikes none."""

    do = MappingProxyType({})

    def __init__(self):
        self.at = []

    def strikes(self, method, target):
        self.at.append((monotonic(), WRITE in target))
        return False


@KILLS
def test_during_score(next_day, tmp_path, kills):
    with next_day.twin(tmp_path / "twin") as twin:
        times = Times()
        twin.emulator.traffic.faults.append(times)
        report = twin.live()
        assert report["scored"] == 2100
        assert report["written"] > 100
        expected = twin.held()
    first_write = [write for _, write in times.at].index(True)
    lasts_s = times.at[first_write][0] - times.at[first_write - 1][0]
    rng = Random(4)
    moments = [(rng.random() * lasts_s,) for _ in range(kills)]

    def kill_at(place, later_s):
        """Between the pull's last answer and the first write."""
        with next_day.twin(place) as one:
            kill(one, ["sync"], n=first_write - 1, later_s=later_s)
            if one.writes():
                raise TooLateError
            return differences(rerun(one), expected)

    assert each(moments, kill_at, tmp_path) == {moment: [] for moment in moments}
