"""The transition table of the MQL status, sentence by sentence, and its laws."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scoring.journey import RANK, Change, Journey, Transition, join, latest_word
from tests.scoring_journeys import DAY, NO_NEEDS, SCORE_60, ago, at, model, person, said, status_of, step, was, was_mql

STATUSES = tuple(RANK)
WORDS = ("qualifying", "accepted", "recycled", "won", "lost")


# ---- the rows


@pytest.mark.parametrize("word", [None, *WORDS])
@pytest.mark.parametrize("status", STATUSES)
def test_row_1_a_disqualifier_holds_disqualified(status, word):
    best = person(score=100, fit=100, engagement=100, grade="A", disqualified_by="competitor", newest=at(DAY))
    assert status_of(was(status), best, word and said(word, DAY - timedelta(days=1))) == "disqualified"


@pytest.mark.parametrize("word", ["won", "lost", "accepted", "qualifying"])
@pytest.mark.parametrize("status", STATUSES)
def test_row_2_sales_says_won_lost_accepted_qualifying_that(status, word):
    assert status_of(was(status), person(score=100, newest=at(DAY)), said(word, DAY - timedelta(days=1))) == word


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    ("newest", "row_3"),
    [
        (None, True),  # never anything positive
        (at(DAY) - 1, True),
        (at(DAY), True),  # at the same instant is not later
        (at(DAY) + 1, False),
    ],
)
def test_row_3_sales_says_recycled_and_no_positive_activity_is_later_than_sales_at(status, newest, row_3):
    got = status_of(was(status), person(score=100, newest=newest), said("recycled"))
    assert got == ("recycled" if row_3 else "mql")


@pytest.mark.parametrize(
    ("previous", "sales", "score", "expected", "remark"),
    [
        (was_mql(), None, 50, "mql", "within the hysteresis"),
        (was_mql(), None, 49, "prospect", "below it"),
        (was("prospect"), None, 59, "prospect", "hysteresis is for who was MQL only"),
        (None, None, 59, "prospect", "never seen before"),
        (was_mql(sales="recycled", sales_at=at(DAY) - 9), said("recycled", offset=-9), 50, "mql", "a recycle it knows"),
        (was_mql(sales="recycled", sales_at=at(DAY) - 9), said("recycled", offset=-8), 50, "recycled", "a newer one"),
        (was_mql(), said("recycled", offset=-9), 50, "recycled", "the first recycle"),
        (was_mql(sales="accepted", sales_at=at(DAY) - 9), None, 50, "mql", "sales' word need not agree if withdrawn"),
    ],
)
def test_row_4_was_mql_stays_mql_unless_below_its_bound_or_recycled_anew(previous, sales, score, expected, remark):
    now, _ = step(previous, person(score=score, newest=at(DAY)), sales)
    assert now.status == expected, remark


DEMO_30D = model({"score": 60}, mql={"instant": {"demo": {"grade": "C or better", "lasts": "30d"}}})


@pytest.mark.parametrize(
    ("previous", "sales", "demo", "expected", "remark"),
    [
        (was_mql(), None, ago(30), "mql", "an instant rule holds"),
        (was_mql(), None, ago(31), "prospect", "no longer"),
        (was_mql(sales="recycled", sales_at=at(DAY)), said("recycled"), DAY, "recycled", "asked before sales' word"),
        (was_mql(sales="recycled", sales_at=at(ago(5))), said("recycled", ago(5)), DAY, "mql", "asked after it"),
        (was_mql(sales="recycled", sales_at=at(ago(5))), said("recycled", ago(5)), ago(6), "recycled", "only before"),
    ],
)
def test_row_4_an_mql_stays_while_an_instant_rule_holds(previous, sales, demo, expected, remark):
    evaluation = person(grade="C", newest=at(DAY), asked={"demo": at(demo)})
    assert status_of(previous, evaluation, sales, model=DEMO_30D) == expected, remark


def test_row_4_an_mql_kept_by_an_instant_rule_keeps_its_dates():
    now, transition = step(was_mql(), person(grade="C", asked={"demo": at(DAY)}), model=DEMO_30D)
    assert (now, transition) == (was_mql(), None)


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"mql"}))
@pytest.mark.parametrize(("demo", "enters"), [(ago(30), True), (ago(31), False)])
def test_row_5_an_instant_rule_holds_mql_since_the_score_day(status, demo, enters):
    now, _ = step(was(status), person(grade="C", asked={"demo": at(demo)}), model=DEMO_30D)
    assert (now.status == "mql") == enters
    assert now.mql_since == (DAY if enters else None)


def test_row_3_comes_before_an_instant_rule():
    """What is older than the recycle does not bring the lead back at once."""
    evaluation = person(grade="C", newest=at(ago(2)), asked={"demo": at(ago(2))})
    assert status_of(was("accepted"), evaluation, said("recycled", ago(1)), model=DEMO_30D) == "recycled"


def test_row_4_keeps_mql_since():
    now, transition = step(was_mql(), person(score=50))
    assert transition is None
    assert now == was_mql()


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"mql"}))
@pytest.mark.parametrize(("score", "enters"), [(59, False), (60, True), (100, True)])
def test_row_5_the_definition_holds_mql_since_the_score_day(status, score, enters):
    now, _ = step(was(status), person(score=score))
    assert (now.status == "mql") == enters
    assert now.mql_since == (DAY if enters else None)


@pytest.mark.parametrize(
    ("previous", "newest", "sales", "expected", "remark"),
    [
        (None, None, None, "suspect", "nothing known"),
        (None, at(DAY), None, "prospect", "a positive activity"),
        (was("suspect"), None, None, "suspect", ""),
        (was("disqualified"), None, None, "suspect", "disqualified moved nothing"),
        (was("disqualified", furthest="prospect"), None, None, "prospect", "was further before"),
        *((was(status), None, None, "prospect", "has been prospect or more") for status in STATUSES[2:]),
        (was("suspect", furthest="won"), None, None, "prospect", "has been more"),
        (None, at(DAY), said("recycled", offset=-1), "recycled", "sales said so, though something is new"),
    ],
)
def test_row_6_recycled_if_sales_said_so_prospect_by_activity_or_furthest_else_suspect(
    previous, newest, sales, expected, remark
):
    assert status_of(previous, person(newest=newest), sales) == expected, remark


# ---- what the journey keeps


def test_an_entry_by_row_5_while_mql_is_a_transition_of_its_own():
    """Something new after a newer recycle: ``since`` and ``mql_since`` move, ``mql_count`` grows."""
    before = was_mql()
    now, transition = step(before, person(score=60, newest=at(DAY)), said("recycled", offset=-1))
    assert transition == Transition(on=DAY, from_="mql", to="mql", cause="sales")
    assert (now.since, now.mql_since, now.mql_count) == (DAY, DAY, 2)
    assert now.first_mql_on == before.first_mql_on


def test_first_mql_on_never_moves_and_mql_since_stays_when_the_status_leaves():
    entered, _ = step(None, person(score=60))
    assert (entered.first_mql_on, entered.mql_since, entered.mql_count) == (DAY, DAY, 1)
    left, _ = step(entered, person(score=0), day=DAY + timedelta(days=1))
    assert (left.status, left.first_mql_on, left.mql_since, left.mql_count) == ("prospect", DAY, DAY, 1)
    again, _ = step(left, person(score=60), day=DAY + timedelta(days=2))
    assert (again.first_mql_on, again.mql_since, again.mql_count) == (DAY, DAY + timedelta(days=2), 2)


def test_since_is_the_day_of_the_last_transition():
    first, _ = step(None, person())
    same, transition = step(first, person(), day=DAY + timedelta(days=1))
    assert (same.since, transition) == (DAY, None)
    moved, transition = step(same, person(newest=at(DAY)), day=DAY + timedelta(days=2))
    assert moved.since == transition.on == DAY + timedelta(days=2)


def test_recycled_on_is_the_day_of_the_change_and_stays():
    word = said("recycled")
    recycled, _ = step(was_mql(), person(), word)
    assert recycled.recycled_on == DAY
    newer, _ = step(recycled, person(), said("recycled", offset=5), day=DAY + timedelta(days=1))
    assert newer.recycled_on == DAY  # the status did not change
    left, _ = step(newer, person(), None, day=DAY + timedelta(days=2))
    assert (left.status, left.recycled_on) == ("prospect", DAY)


@pytest.mark.parametrize(
    ("furthest", "word", "expected"),
    [
        ("suspect", "won", "won"),
        ("won", "lost", "won"),  # won, lost, accepted, qualifying, mql, recycled, prospect
        ("lost", "accepted", "lost"),
        ("accepted", "qualifying", "accepted"),
        ("qualifying", "recycled", "qualifying"),
        ("prospect", "recycled", "recycled"),
    ],
)
def test_furthest_only_goes_forward(furthest, word, expected):
    assert step(was(furthest), person(), said(word))[0].furthest == expected


def test_the_furthest_are_won_lost_accepted_qualifying_mql_recycled_prospect():
    order = ["won", "lost", "accepted", "qualifying", "mql", "recycled", "prospect", "suspect", "disqualified"]
    assert sorted(RANK, key=lambda status: -RANK[status]) == order
    assert len(set(RANK.values())) == len(order)


def test_disqualified_does_not_move_furthest():
    assert step(None, person(disqualified_by="student"))[0].furthest == "suspect"
    assert step(was("mql"), person(disqualified_by="student"))[0].furthest == "mql"


def test_going_back_to_new_withdraws_the_word():
    before = was("accepted", sales="accepted", sales_at=at(DAY))
    now, transition = step(before, person(score=60), None)
    assert (now.status, now.sales, now.sales_at, transition.cause) == ("mql", None, None, "sales")


def test_the_digests_seen_are_kept_without_a_transition_too():
    now, transition = step(was("prospect"), person(), run_digest="r2", fact_hash="f2", timeline_digest="t2")
    assert transition is None
    assert (now.run_digest, now.fact_hash, now.timeline_digest, now.cause) == ("r2", "f2", "t2", "sales")


# ---- causes


@pytest.mark.parametrize(
    ("previous", "change", "evaluated", "cause", "remark"),
    [
        (True, {"restored": True}, {"run_digest": "new"}, "backfill", "store restored, before all"),
        (False, {"restored": True, "first_pull": True}, {}, "backfill", "restored without a journey"),
        (False, {"first_pull": True}, {"activities": 3}, "first", "created before the first complete pull"),
        (False, {}, {"activities": 3}, "activity", "created since, with an activity"),
        (False, {}, {"sales": "won"}, "facts", "created since, without one"),
        (True, {"first_pull": True}, {}, "decay", "first is for who was never evaluated"),
        (True, {"fresh": frozenset({1})}, {"run_digest": "new"}, "model", "new, but of no instant rule"),
        (True, {}, {"run_digest": "new", "sales": "won"}, "model", "run digest differs, before sales' word"),
        (True, {"maps_changed": True}, {"fact_hash": "new"}, "model", "read maps differ"),
        (True, {}, {"sales": "won", "fact_hash": "new"}, "sales", "before facts"),
        (True, {}, {"fact_hash": "new", "timeline_digest": "new"}, "facts", "before the timeline"),
        (True, {"recent_activity": True}, {"timeline_digest": "new"}, "activity", "new within 2 days"),
        (True, {}, {"timeline_digest": "new"}, "backfill", "an old activity that came late"),
        (True, {"recent_activity": True}, {}, "decay", "the same timeline"),
    ],
)
def test_the_cause_of_a_status_change_is_the_first_that_holds(previous, change, evaluated, cause, remark):
    evaluated = dict(evaluated)
    sales = said(evaluated.pop("sales")) if "sales" in evaluated else None
    evaluation = person(disqualified_by="student", activities=evaluated.pop("activities", 0))
    now, transition = step(
        was("prospect") if previous else None, evaluation, sales, change=Change(**change), **evaluated
    )
    assert transition.cause == cause, remark
    assert now.cause == cause


JUST = at(ago(1))


@pytest.mark.parametrize(
    ("previous", "change", "demo", "cause", "remark"),
    [
        (was("prospect"), {"fresh": frozenset({JUST})}, JUST, "activity", "before a model that differs"),
        (None, {"fresh": frozenset({JUST})}, JUST, "activity", "never evaluated"),
        (None, {"fresh": frozenset({JUST}), "first_pull": True}, JUST, "first", "the first complete pull before all"),
        (was("prospect"), {"fresh": frozenset({JUST}), "restored": True}, JUST, "backfill", "a restored store too"),
        (was("prospect"), {"fresh": frozenset({JUST + 1})}, JUST, "model", "something else is new"),
        (was("prospect"), {}, JUST, "model", "nothing is new: the rule has just become instant"),
        (was("prospect"), {"fresh": frozenset({at(ago(40))})}, at(ago(40)), "model", "new, but holds no longer"),
    ],
)
def test_an_instant_rule_that_holds_through_a_new_activity_is_cause_activity(previous, change, demo, cause, remark):
    evaluation = person(score=60, grade="C", asked={"demo": demo})
    now, transition = step(previous, evaluation, model=DEMO_30D, change=Change(**change), run_digest="new")
    assert (now.status, transition.cause) == ("mql", cause), remark


def test_a_demo_of_one_whose_grade_does_not_suffice_is_no_cause():
    evaluation = person(score=60, grade="D", asked={"demo": JUST})
    change = Change(fresh=frozenset({JUST}))
    assert step(was("prospect"), evaluation, model=DEMO_30D, change=change, fact_hash="new")[1].cause == "facts"


def test_a_demo_after_sales_recycled_is_a_new_entry_with_cause_activity():
    """An MQL handed back and asking again enters anew."""
    evaluation = person(grade="C", newest=JUST, asked={"demo": JUST})
    word, change = said("recycled", ago(2)), Change(fresh=frozenset({JUST}))
    now, transition = step(was_mql(), evaluation, word, model=DEMO_30D, change=change)
    assert transition == Transition(on=DAY, from_="mql", to="mql", cause="activity")
    assert (now.since, now.mql_since, now.mql_count) == (DAY, DAY, 2)


def test_sales_word_said_again_later_is_a_change_of_word():
    before = was("accepted", sales="recycled", sales_at=at(DAY) - 5)
    assert step(before, person(), said("recycled"))[1].cause == "sales"


def test_the_cause_stays_that_of_the_transition_into_the_status():
    now, _ = step(was_mql(), person(score=55), run_digest="new")
    assert now.cause == "activity"


# ---- sales' word from several records


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        ([said("lost", offset=1), said("won")], said("lost", offset=1)),  # "the latest counts"
        # "ties: won, accepted, qualifying, lost, recycled"
        ([said("recycled"), said("won"), said("accepted")], said("won")),
        ([said("qualifying"), said("accepted")], said("accepted")),
        ([said("lost"), said("qualifying")], said("qualifying")),
        ([said("recycled"), said("lost")], said("lost")),
    ],
)
def test_of_a_persons_records_the_latest_word_counts(words, expected):
    assert latest_word(words) == expected
    assert latest_word(reversed(words)) == expected


# ---- laws

days = st.dates(date(2026, 1, 1), date(2026, 3, 1))
maybe_days = st.none() | days
word_pairs = st.none() | st.tuples(st.sampled_from(WORDS), st.integers(0, 3))


@st.composite
def journeys(draw):
    word = draw(word_pairs) or (None, None)
    return Journey(
        status=draw(st.sampled_from(STATUSES)),
        since=draw(days),
        cause=draw(st.sampled_from(["first", "activity", "decay"])),
        furthest=draw(st.sampled_from(STATUSES[1:])),
        mql_since=draw(maybe_days),
        first_mql_on=draw(maybe_days),
        mql_count=draw(st.integers(0, 3)),
        recycled_on=draw(maybe_days),
        surged_on=draw(maybe_days),
        sales=word[0],
        sales_at=word[1],
        run_digest=draw(st.sampled_from("ab")),
        fact_hash=draw(st.sampled_from("ab")),
        timeline_digest=draw(st.sampled_from("ab")),
    )


@given(journeys())
def test_a_journey_survives_its_flat_form(journey):
    flat = journey.to_dict()
    assert Journey.from_dict(json.loads(json.dumps(flat))) == journey
    assert all(value is None or type(value) in {str, int} for value in flat.values())


@given(journeys(), journeys(), journeys())
def test_joining_is_commutative_associative_and_idempotent(a, b, c):
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a


@given(journeys(), journeys())
def test_persons_that_join_have_the_furthest_status_and_its_earliest_since(a, b):
    both = join(a, b)
    assert RANK[both.status] == max(RANK[a.status], RANK[b.status])
    assert both.since == min(each.since for each in (a, b) if each.status == both.status)
    assert both.mql_count == max(a.mql_count, b.mql_count)
    firsts = [each.first_mql_on for each in (a, b) if each.first_mql_on]
    assert both.first_mql_on == (min(firsts) if firsts else None)
    for name in ("mql_since", "recycled_on", "surged_on"):
        days = [day for each in (a, b) if (day := getattr(each, name))]
        assert getattr(both, name) == (max(days) if days else None)
    said_at = [each.sales_at for each in (a, b) if each.sales_at is not None]
    assert both.sales_at == (max(said_at) if said_at else None)
    assert (both.sales, both.sales_at) in {(a.sales, a.sales_at), (b.sales, b.sales_at)}


def test_a_digest_two_persons_do_not_share_differs_from_any():
    both = join(was("prospect"), was("prospect", fact_hash="other"))
    assert step(both, person(disqualified_by="student"))[1].cause == "facts"


@st.composite
def situations(draw):
    """An evaluation and sales' word, in any combination."""
    fit = draw(st.integers(0, 100))
    evaluation = person(
        score=draw(st.integers(0, 100)),
        fit=fit,
        grade="A" if fit >= 75 else "B" if fit >= 50 else "C" if fit >= 25 else "D",
        disqualified_by=draw(st.sampled_from([None, None, "student"])),
        newest=draw(st.none() | st.integers(0, 3).map(lambda n: at(DAY) + n)),
        met=draw(st.sets(st.sampled_from(["demo", "call", "target"]))),
        asked=draw(st.dictionaries(st.sampled_from(["demo", "call"]), st.integers(0, 3).map(lambda n: at(DAY) + n))),
    )
    word = draw(st.none() | st.builds(said, st.sampled_from(WORDS), offset=st.integers(0, 3)))
    return evaluation, word


models = st.sampled_from(
    [
        SCORE_60,
        NO_NEEDS,
        DEMO_30D,
        model({"score": 20, "grade": "B or better"}),
        model({"facts": ["phone"]}),
        model({"rules": {"any": 2, "of": ["demo", "call", "target"]}}),
        model({"score": 60, "fit": 50}, mql={"leave_below": {"score": "never", "fit": 45}, "lost_for": "ever"}),
        model({"grade": "B or better"}, mql={"leave_below": "never", "instant": {"call": {}}, "lost_for": "1d"}),
    ]
)


@given(st.none() | journeys(), situations(), models)
def test_disqualified_is_never_mql(previous, situation, model):
    evaluation, word = situation
    assert (status_of(previous, evaluation, word, model=model) == "disqualified") == (
        evaluation.disqualified_by is not None
    )


@given(st.none() | journeys(), situations(), models)
def test_recycled_is_not_mql_before_something_new(previous, situation, model):
    evaluation, word = situation
    status = status_of(previous, evaluation, word, model=model)
    newest = evaluation.newest_positive_at
    if word is not None and word.word == "recycled" and (newest is None or newest <= word.at):
        assert status in {"recycled", "disqualified"}


@given(journeys(), situations())
def test_leave_below_never_keeps_an_mql_until_sales_decides(previous, situation):
    evaluation, _ = situation
    stays = model({"score": 60}, mql={"leave_below": "never"})
    status = status_of(replace(previous, status="mql"), evaluation, model=stays)
    assert status == ("mql" if evaluation.disqualified_by is None else "disqualified")


@given(st.none() | journeys(), situations(), models)
def test_the_same_day_again_changes_nothing(previous, situation, model):
    evaluation, word = situation
    once, _ = step(previous, evaluation, word, model=model)
    assert step(once, evaluation, word, model=model) == (once, None)


@given(st.none() | journeys(), situations(), models)
def test_a_transition_is_a_new_status_or_a_new_entry(previous, situation, model):
    evaluation, word = situation
    now, transition = step(previous, evaluation, word, model=model)
    moved = previous is None or now.status != previous.status or now.mql_count > previous.mql_count
    assert (transition is not None) == moved
    if transition is not None:
        assert transition == Transition(
            on=DAY, from_=None if previous is None else previous.status, to=now.status, cause=now.cause
        )


class Life(RuleBasedStateMachine):
    """A person's days in a row: score up and down, sales' word, disqualification."""

    @initialize(score=st.integers(0, 100))
    def begin(self, score):
        self.day, self.word, self.newest, self.disqualified = DAY, None, None, None
        self.journey, self.before, self.score = None, None, score
        self.evaluate()

    def evaluate(self):
        evaluation = person(score=self.score, newest=self.newest, disqualified_by=self.disqualified)
        self.before = self.journey
        self.journey, self.transition = step(self.journey, evaluation, self.word, day=self.day)

    @rule(score=st.integers(40, 70), days=st.integers(0, 3))
    def fade_or_rise(self, score, days):
        self.day += timedelta(days=days)
        self.score = score
        self.evaluate()

    @rule(score=st.integers(40, 100))
    def act(self, score):
        self.day += timedelta(days=1)
        self.newest, self.score = at(self.day), score
        self.evaluate()

    @rule(word=st.none() | st.sampled_from(WORDS))
    def sales_speaks(self, word):
        self.day += timedelta(days=1)
        self.word = None if word is None else said(word, self.day)
        self.evaluate()

    @rule()
    def half_a_year_passes(self):
        self.day += timedelta(days=181)
        self.evaluate()

    @rule(disqualified=st.sampled_from([None, "student"]))
    def rules_out(self, disqualified):
        self.day += timedelta(days=1)
        self.disqualified = disqualified
        self.evaluate()

    @invariant()
    def dates_are_in_order(self):
        journey = self.journey
        assert (journey.mql_count == 0) == (journey.first_mql_on is None) == (journey.mql_since is None)
        assert journey.status != "mql" or journey.since == journey.mql_since
        assert journey.first_mql_on is None or journey.first_mql_on <= journey.mql_since <= self.day

    @invariant()
    def what_was_reached_stays_reached(self):
        assert RANK[self.journey.furthest] >= RANK[self.journey.status]
        if self.before is not None:
            assert RANK[self.journey.furthest] >= RANK[self.before.furthest]
            assert self.before.first_mql_on in {None, self.journey.first_mql_on}
            assert self.journey.mql_count - self.before.mql_count in {0, 1}

    @invariant()
    def an_mql_without_sales_word_changes_only_by_ten_points_or_a_disqualifier(self):
        if self.before is not None and self.before.status == "mql" and self.word is None and not self.disqualified:
            assert (self.journey.status == "mql") == (self.score >= 50)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
