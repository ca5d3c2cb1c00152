"""The transition table of the MQL status, sentence by sentence, and its laws."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scoring.journey import RANK, Change, Journey, Sales, Transition, advance, join, latest_word
from scoring.kernel import Evaluation
from scoring.model import ScoringModel

DAY = date(2026, 11, 14)
US_PER_DAY = 86_400_000_000
STATUSES = tuple(RANK)
DEMO_RULE = {"activity": "form_submitted", "points": 200, "label": "Asked for a demo"}
WORDS = ("qualifying", "accepted", "recycled", "won", "lost")


def model(needs=None, **fields):
    mql = {} if needs is None else {"needs": needs}
    raw = {
        "model": "b2b",
        "weights": {"fit": 40, "engagement": 60},
        "fit": {"seniority": {"weight": 100, "percent": {"director": 100}}},
        "engagement": {"hand": {"label": "Raised a hand", "rules": {"demo": DEMO_RULE}}},
        "mql": mql,
    }
    return ScoringModel.model_validate(raw | fields)


SCORE_60 = model({"score": 60})
NO_NEEDS = model()


def at(day):
    """Noon of the day, in microseconds since 1970."""
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * US_PER_DAY + US_PER_DAY // 2


def person(*, newest=None, known=(), activities=0, **fields):
    """An evaluation of which only the numbers that the journey reads are chosen."""
    plain = {
        "score": 0,
        "fit": 0,
        "engagement": 0,
        "fit_micro": 0,
        "engagement_micro": 0,
        "grade": "D",
        "level": 4,
        "tier": "D4",
        "disqualified_by": None,
        "fit_results": (),
        "groups": (),
        "rules": (),
    }
    return Evaluation(
        **(plain | fields), newest_positive_at=newest, known_facts=frozenset(known), activity_count=activities
    )


def said(word, day=DAY, offset=0):
    return Sales(word=word, at=at(day) + offset, on=day)


def was(status, **fields):
    """A journey with that status, of ten days ago, evaluated like ``step`` does by default."""
    plain = {
        "status": status,
        "since": DAY - timedelta(days=10),
        "cause": "sales",
        "furthest": "suspect" if status == "disqualified" else status,
        "run_digest": "run",
        "fact_hash": "facts",
        "timeline_digest": "timeline",
    }
    return Journey(**(plain | fields))


def was_mql(**fields):
    entered = DAY - timedelta(days=10)
    return was("mql", **({"mql_since": entered, "first_mql_on": entered, "mql_count": 1, "cause": "activity"} | fields))


def step(previous, evaluation, sales=None, *, model=SCORE_60, day=DAY, change=None, **digests):
    plain = {"run_digest": "run", "fact_hash": "facts", "timeline_digest": "timeline"}
    return advance(model, previous, evaluation, sales, day, change=change or Change(), **(plain | digests))


def status_of(*args, **kwargs):
    return step(*args, **kwargs)[0].status


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


# ---- the definition


@pytest.mark.parametrize(
    ("needs", "enough", "short"),
    [
        ({"score": 60}, {"score": 60}, {"score": 59}),
        ({"fit": 60}, {"fit": 60}, {"fit": 59}),
        ({"engagement": 60}, {"engagement": 60}, {"engagement": 59}),
        ({"grade": "B or better"}, {"grade": "B"}, {"grade": "C"}),
        ({"grade": "B or better"}, {"grade": "A"}, {"grade": "F"}),
        ({"facts": ["company", "phone"]}, {"known": ("phone", "company", "title")}, {"known": ("company",)}),
        ({"score": 60, "fit": 50}, {"score": 60, "fit": 50}, {"score": 60, "fit": 49}),  # all of them
        ({"score": 60, "grade": "C or better"}, {"score": 60, "grade": "C"}, {"score": 60, "grade": "D"}),
        ({"score": 60, "facts": ["company"]}, {"score": 60, "known": ("company",)}, {"score": 60}),
    ],
)
def test_definition_is_minimums_on_score_fit_engagement_grade_and_facts_that_must_be_known(needs, enough, short):
    assert status_of(None, person(**enough), model=model(needs)) == "mql"
    assert status_of(None, person(**short), model=model(needs)) == "suspect"


@pytest.mark.parametrize(
    ("needs", "stays", "leaves"),
    [
        # "score, fit and engagement 10 lower by default"
        ({"score": 60}, {"score": 50}, {"score": 49}),
        ({"fit": 60}, {"fit": 50}, {"fit": 49}),
        ({"engagement": 60}, {"engagement": 50}, {"engagement": 49}),
        # "a grade its band's lower bound in fit 10 lower"
        ({"grade": "B or better"}, {"grade": "C", "fit": 40}, {"grade": "C", "fit": 39}),
        ({"grade": "A or better"}, {"grade": "B", "fit": 65}, {"grade": "B", "fit": 64}),
        # "facts and rules bind on entry only"
        ({"score": 60, "facts": ["company"]}, {"score": 60}, {"score": 49, "known": ("company",)}),
        # "no minimum is below its leave_below": one is enough to leave
        ({"score": 60, "fit": 60}, {"score": 50, "fit": 50}, {"score": 100, "fit": 49}),
        # "a definition without minimums: it still holds"
        ({"facts": ["company"]}, {"known": ("company",)}, {"score": 100}),
    ],
)
def test_an_mql_leaves_when_a_value_is_under_its_bound(needs, stays, leaves):
    assert status_of(was_mql(), person(**stays), model=model(needs)) == "mql"
    assert status_of(was_mql(), person(**leaves), model=model(needs)) == "prospect"


def test_the_bands_of_the_model_decide_when_a_grade_leaves():
    strict = model({"grade": "B or better"}, grades={"A": 90, "B": 70, "C": 30})
    assert status_of(was_mql(), person(grade="C", fit=60), model=strict) == "mql"
    assert status_of(was_mql(), person(grade="C", fit=59), model=strict) == "prospect"


def test_d_or_better_is_never_left():
    assert status_of(was_mql(), person(grade="D", fit=0), model=model({"grade": "D or better"})) == "mql"


def test_no_needs_nobody_qualifies_and_no_mql_stays():
    best = person(score=100, fit=100, engagement=100, grade="A", known=("company",))
    assert status_of(None, best, model=NO_NEEDS) == "suspect"
    assert status_of(was_mql(), best, model=NO_NEEDS) == "prospect"


# ---- lost for a time


@pytest.mark.parametrize(
    ("age", "newest", "expected"),
    [
        (0, None, "lost"),
        (180, 10, "lost"),  # "lost_for: 180d through age 180", whatever is new
        (181, None, "recycled"),  # "then reads as recycled"
        (181, 181, "recycled"),  # "at the same sales_at": not later
        (181, 10, "mql"),  # and something new counts from there
    ],
)
def test_lost_rules_for_180_days_then_reads_as_recycled_at_the_same_sales_at(age, newest, expected):
    lost = said("lost", DAY - timedelta(days=age))
    evaluation = person(score=60, newest=None if newest is None else at(DAY - timedelta(days=newest)))
    now, _ = step(was("lost", sales="lost", sales_at=lost.at), evaluation, lost)
    assert now.status == expected
    assert (now.sales, now.sales_at) == ("lost", lost.at)  # "raw: lost, not what it lapses to"


@pytest.mark.parametrize("word", ["won", "accepted", "qualifying"])
def test_no_other_word_lapses(word):
    assert status_of(was(word), person(score=100), said(word, DAY - timedelta(days=2_000))) == word


def test_a_loss_that_lapses_is_no_new_word_of_sales():
    lost = said("lost", DAY - timedelta(days=181))
    transition = step(was("lost", sales="lost", sales_at=lost.at), person(), lost)[1]
    assert (transition.to, transition.cause) == ("recycled", "decay")


def test_an_mql_after_a_lapsed_loss_stays_by_row_4():
    lost = said("lost", DAY - timedelta(days=200))
    first, entry = step(was("lost", sales="lost", sales_at=lost.at), person(score=60, newest=at(DAY)), lost)
    later, transition = step(first, person(score=50, newest=at(DAY)), lost, day=DAY + timedelta(days=1))
    assert (entry.to, later.status, transition) == ("mql", "mql", None)


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


def test_a_journey_survives_its_flat_form():
    full = step(was_mql(), person(), said("recycled"))[0]
    flat = full.to_dict()
    assert Journey.from_dict(flat) == full
    assert flat["recycled_on"] == "2026-11-14"
    assert all(value is None or type(value) in {str, int} for value in flat.values())


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
        sales=word[0],
        sales_at=word[1],
        run_digest=draw(st.sampled_from("ab")),
        fact_hash=draw(st.sampled_from("ab")),
        timeline_digest=draw(st.sampled_from("ab")),
    )


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
    )
    word = draw(st.none() | st.builds(said, st.sampled_from(WORDS), offset=st.integers(0, 3)))
    return evaluation, word


models = st.sampled_from(
    [SCORE_60, NO_NEEDS, model({"score": 20, "grade": "B or better"}), model({"facts": ["phone"]})]
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
