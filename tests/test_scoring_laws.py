"""Laws of scoring, over generated models, touchpoints, facts and timelines."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import yaml
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoring.compile import Touchpoint
from scoring.digests import model_digest
from scoring.journey import Change, advance
from scoring.kernel import NEVER, score_people
from scoring.ledger import UNITS_PER_POINT, explain
from scoring.model import ScoringModel
from scoring.sales import Sales, recycled_at
from tests.scoring_journeys import was
from tests.scoring_models import DAY, TODAY, models, small_gains, small_points
from tests.scoring_reach import FEATURES, reached
from tests.scoring_worlds import (
    DAY_US,
    World,
    activity,
    batch,
    dense_person,
    evaluations,
    expected,
    flat,
    gaining_world,
    recycles,
    seeds,
    worlds,
)


def gaining_worlds(**kinds):
    return st.builds(lambda seed: gaining_world(seed, **kinds), seeds)


retentions = st.none() | st.integers(0, 100)


# ---- the kernel and the oracle


def agree(world, kept_days, recycled):
    """Kernel and oracle agree in all, to the micro-point; what the oracle says of each person is returned."""
    results = evaluations(world.compiled, world.people, kept_days=kept_days, recycled=recycled, zone=world.zone)
    answers = [
        expected(world, facts, activities, kept_days=kept_days, recycled_at=recycled_at)
        for (facts, activities), recycled_at in zip(world.people, recycled, strict=False)
    ]
    assert [flat(evaluation) for evaluation in results] == answers
    return answers


@settings(max_examples=100)
@given(worlds(most=6), retentions, recycles)
def test_the_kernel_gives_what_the_oracle_gives(world, kept_days, recycled):
    """Also on days counted from instants where clocks change, and on the earlier days of the trend."""
    agree(world, kept_days, recycled)


@pytest.mark.exhaustive
def test_the_generated_worlds_reach_every_feature():
    """What never happens in a generated world is not compared: each feature has an effect on some person."""
    met = Counter()

    @settings(max_examples=600)
    @given(worlds(most=8), retentions, recycles)
    def look(world, kept_days, recycled):
        answers = agree(world, kept_days, recycled)
        for (facts, activities), since, found in zip(world.people, recycled, answers, strict=False):
            met.update(reached(world, facts, activities, found, kept_days, since))

    look()
    assert sorted(FEATURES - met.keys()) == []


@settings(max_examples=4)
@given(worlds(), st.integers(0, 1_000))
def test_the_kernel_gives_what_the_oracle_gives_on_ten_thousand_activities(world, seed):
    dice = Random(seed)
    many = [activity(dice.randrange(25), dice.randrange(-3, 900), dice.randrange(86_400)) for _ in range(10_000)]
    agree(replace(world, people=[({}, many)], zone="UTC"), None, [NEVER])


@settings(max_examples=30)
@given(worlds(), st.randoms(use_true_random=False), st.integers(0, 5), st.integers(1, 5), recycles)
def test_a_person_scores_the_same_alone_in_any_part_or_chunk_of_a_batch_and_in_any_order(
    world, random, cut, chunk, recycled
):
    def score(places, **chunk):
        people = [(world.people[i][0], random.sample(world.people[i][1], len(world.people[i][1]))) for i in places]
        scores = score_people(world.compiled, batch(people, [recycled[i] for i in places]), DAY, **chunk)
        return [scores.person(i) for i in range(len(people))]

    everybody = list(range(len(world.people)))
    together = score(everybody)
    assert [score([i])[0] for i in everybody] == together
    assert score(everybody[:cut]) + score(everybody[cut:]) == together
    assert score(everybody, chunk=chunk) == together
    order = random.sample(everybody, len(everybody))
    assert score(order) == [together[i] for i in order]


def test_more_people_than_a_chunk_holds_are_scored_each_as_alone():
    raw = {
        "model": "m",
        "weights": {"fit": 50, "engagement": 50},
        "fit": {"number": {"weight": 100, "percent": {"0-99": 50, "100+": 100}}},
        "engagement": {"web": {"label": "G", "rules": {"a": {"activity": "visit", "points": 7, "label": "L"}}}},
    }
    world = World(raw=raw, touchpoints=[Touchpoint(number=3, kind="visit", attributes={})], people=[])
    people = [({"number": i % 200}, [activity(3, 1, 0)] * (i % 3)) for i in range(10_001)]
    scores = score_people(world.compiled, batch(people), DAY)
    assert scores.fit.tolist() == [50 if i % 200 < 100 else 100 for i in range(10_001)]
    assert scores.engagement.tolist() == [7 * (i % 3) for i in range(10_001)]


@settings(max_examples=30)
@given(worlds(), st.integers(0, 100))
def test_what_is_future_dated_or_beyond_retention_is_as_if_it_were_not_there(world, kept_days):
    cut = [(facts, [one for one in rows if DAY - kept_days <= one[1] <= DAY]) for facts, rows in world.people]
    scores = [
        score_people(world.compiled, batch(people), DAY, oldest_day=oldest).person
        for people, oldest in ((cut, None), (world.people, DAY - kept_days))
    ]
    assert [scores[0](i) for i in range(len(cut))] == [scores[1](i) for i in range(len(cut))]


# ---- time


@settings(max_examples=60)
@given(st.one_of(worlds(points=small_gains, patterns=["at_least"]), gaining_worlds(patterns=True)), st.integers(0, 20))
def test_engagement_never_rises_from_day_to_day(world, first):
    """Of a person not recycled, with no negative rule, no ``at_most`` pattern and nothing dated after the first day.

    A recycle is an exception: where a cap, a limit or the hundred points hold X of all, X(old) fades and what counts
    beside it grows (test_scoring_silence). So is retention, which may end a silence by purging what began it.
    """
    people = batch([(facts, [one for one in rows if one[1] <= DAY]) for facts, rows in world.people])
    days = [score_people(world.compiled, people, DAY + first + more).engagement_micro for more in range(30)]
    assert (np.diff(days, axis=0) <= 0).all()


# ---- more activities


def taken_by_losses(compiled):
    """The touchpoints of which some rule takes points."""
    loss = np.array([rule.points < 0 for rule in compiled.rules])[compiled.entries.owner]
    return set(np.repeat(compiled.entries.numbers, np.diff(compiled.entries.starts))[loss].tolist())


def none_is_lower(world, people, recycled=None):
    """Whether nobody has a lower score with one activity more; ``people`` are (facts, activities, the more)."""
    one_more = [(i, one) for i, (_, _, more) in enumerate(people) for one in more]
    before = score_people(world.compiled, batch([person[:2] for person in people], recycled), DAY)
    richer = [(people[i][0], [*people[i][1], one]) for i, one in one_more]
    after = score_people(world.compiled, batch(richer, recycled and [recycled[i] for i, _ in one_more]), DAY)
    places = np.array([i for i, _ in one_more], dtype=np.int64)
    return (after.score >= before.score[places]).all() and (
        after.engagement_micro >= before.engagement_micro[places]
    ).all()


@settings(max_examples=60)
@given(st.one_of(worlds(points=small_points, patterns=()), gaining_worlds(losses=True)), seeds, recycles)
def test_without_patterns_and_bots_another_positive_activity_never_lowers_a_score(world, seed, recycled):
    """With two exceptions, which follow from what silence and a recycle mean (test_scoring_silence).

    Never active is not silent, so the first activity that is heard may begin a silence: it lowers a score only if it is
    at least ``after`` days old. What comes up to sales' recycle is what its limit is for: it may lower a score.
    """
    losing, silence = taken_by_losses(world.compiled), world.model.silence
    others = [one for one in dense_person(seed, world.zone)[1] if one[2] not in losing]
    if silence:
        others = [one for one in others if DAY - one[1] < silence.after]
    people = [
        (facts, rows, [one for one in others if one[0] > at or not world.model.mql.recycle])
        for (facts, rows), at in zip(world.people, recycled, strict=False)
    ]
    assert none_is_lower(world, people, recycled)


@settings(max_examples=60)
@given(st.one_of(worlds(points=small_gains, patterns=()), gaining_worlds()), seeds)
def test_of_whom_silence_already_knows_no_other_positive_activity_however_old_lowers_a_score(world, seed):
    heard = set(world.compiled.entries.numbers[world.compiled.heard].tolist())
    others = dense_person(seed, world.zone)[1]
    known = [
        (facts, rows, others)
        for facts, rows in world.people
        if not world.model.silence or any(one[2] in heard and one[1] <= DAY for one in rows)
    ]
    assert none_is_lower(world, known)


# ---- bounds and sums


@settings(max_examples=40)
@given(worlds(), recycles)
def test_bounds_are_never_exceeded_and_the_lines_and_effects_of_a_ledger_add_up(world, recycled):
    weights = world.model.weights
    results = evaluations(world.compiled, world.people, recycled=recycled)
    for (facts, _), evaluation in zip(world.people, results, strict=True):
        for result in evaluation.groups:
            group = world.model.engagement[result.group.id]
            assert group.cap is None or result.points <= group.cap * 1_000_000
            assert group.floor is None or result.points >= group.floor * 1_000_000
        assert all(0 <= number <= 100 for number in (evaluation.score, evaluation.fit, evaluation.engagement))
        assert all(0 <= micro <= 100_000_000 for micro in (evaluation.fit_micro, evaluation.engagement_micro))
        ledger = explain(world.compiled, evaluation, facts)
        assert sum(line.units for line in ledger.lines) == evaluation.score * UNITS_PER_POINT
        exact = weights.fit * evaluation.fit_micro + weights.engagement * evaluation.engagement_micro
        assert sum(effect for _, effect in ledger.effects) == exact


@settings(max_examples=30)
@given(worlds(), recycles, st.sampled_from(["recycled", "lost"]), st.none() | st.sampled_from(["mql", "prospect"]))
def test_disqualified_is_never_mql_and_recycled_is_none_before_something_new(world, recycled, word, status):
    """Of evaluations that the kernel made, with the definitions and instant rules of generated models."""
    model = world.model
    words = [
        None if at == NEVER else Sales(word=word, at=at, on=TODAY.fromordinal(TODAY.toordinal() - DAY + at // DAY_US))
        for at in recycled
    ]
    old = [NEVER if (at := recycled_at(model, said, TODAY)) is None else at for said in words]
    results = evaluations(world.compiled, world.people, recycled=old)
    for evaluation, said, at in zip(results, words, old, strict=False):
        journey, _ = advance(
            model,
            status and was(status),
            evaluation,
            said,
            TODAY,
            run_digest="",
            fact_hash="",
            timeline_digest="",
            change=Change(),
        )
        assert (journey.status == "disqualified") == (evaluation.disqualified_by is not None)
        newest = evaluation.newest_positive_at
        if at != NEVER and (newest is None or newest <= at):
            assert journey.status in {"recycled", "disqualified"}


@settings(max_examples=30)
@given(models())
def test_a_model_survives_the_way_to_yaml_and_back(raw):
    try:
        model = ScoringModel.model_validate(raw)
    except ValidationError:  # it contradicts itself somewhere
        reject()
    assert model.written() == raw
    again = ScoringModel.model_validate(yaml.safe_load(yaml.safe_dump(model.written(), sort_keys=False)))
    assert again == model
    assert model_digest(again) == model_digest(model)
