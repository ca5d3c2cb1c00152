"""The impact of another config: who moves and why, whose status changes, what a push would write; and nothing kept."""

import io
import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scoring.digests import model_digest
from scoring.model import ScoringModel
from sync.answers.against import FieldError, as_number, compare, rank_correlation, ranks
from sync.answers.impact import Stand
from sync.answers.simulate import side_in_force, side_of, simulate
from sync.app import Quiet
from sync.cli import run, show_impact
from sync.run import run_pass
from sync.runtime import Options
from sync.store import tables
from tests.desk_of_two import Desk
from tests.two_crms import HUBSPOT, MODEL, NOW, SALESFORCE, form, lead_id, record, settings_of

SIZES = {"hubspot": 2, "salesforce": 200}
FACTS = HUBSPOT["facts"] | {
    "do_not_profile": "no_profile",
    "hold": "on_hold",
    "owner": {"owner": "email"},
    "theirs": "old",
}
FIT = {"title": {"weight": 100, "label": "Job title", "percent": {"Director": 100, "Buyer": 40}}}
MINE = MODEL | {"fit": FIT}
#: buyers are worth more, directors less; fewer points for a form
OTHER = {
    "fit": {"title": {"weight": 100, "label": "Job title", "percent": {"Director": 80, "Buyer": 60}}},
    "engagement": {
        "asked": {"label": "Asked", "rules": {"form": {"activity": "form_submitted", "points": 40, "label": "Form"}}}
    },
}
OWNERS = {"1": "301", "2": "301", "3": "302", "4": "302", "5": "302", "6": "302"}


def filled(folder, **more):
    """Directors 1 to 3 and lead 8 are MQL, 3 and buyer 6 filled in a form, 7 is not to be profiled, 5 is held."""
    desk = Desk(
        folder,
        hubspot={"facts": FACTS},
        models={"b2b": MINE},
        segments={"Alps": {"country": ["AT", "CH"]}},
        **more,
    )
    for id_, owner in OWNERS.items():
        title, country = ("Director", "AT") if id_ < "4" else ("Buyer", "DE")
        values = {"jobtitle": title, "country": country, "on_hold": id_ == "5", "old": int(id_) * 10}
        desk.hub.put(record("contact", id_, parents={"owner": owner}, **values))
    desk.hub.put(record("contact", "7", jobtitle="Director", no_profile=True))
    desk.hub.act("forms", form("f1", "3"))
    desk.hub.act("forms", form("f2", "6"))
    desk.org.put(record("lead", lead_id(8), Title="Director", Country="AT"))
    desk.run()
    return desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    opened = filled(tmp_path_factory.mktemp("desk"))
    yield opened
    opened.close()


def changed(desk, **model):
    """The settings with another primary model."""
    model = ScoringModel.model_validate(MINE | model)
    return desk.settings.model_copy(update={"models": {"b2b": model}, "model_texts": {"b2b": json.dumps(MINE)}})


def impact_of(desk, after, *, limit=10, **more):
    with desk.store.look() as tx:
        here = side_in_force(tx, desk.settings)
    there = side_of(after)
    options = {"models": list(there.models), "push_sizes": SIZES, "now": desk.now, "progress": Quiet()}
    return simulate(desk.store, here, there, limit=limit, **options | more)


def of_b2b(desk, **model):
    return impact_of(desk, changed(desk, **model)).models[0]


def short(moved):
    return [one.records[0].split(":")[2][:11] for one in moved]


def everything(desk):
    return {name: desk.rows(table) for name, table in tables.metadata.tables.items()}


def test_the_same_models_move_nobody_and_change_no_status(desk):
    found = impact_of(desk, desk.settings)
    (one,) = found.models
    assert (found.quiet, found.people, one.scored) == (True, 8, (7, 7))
    assert [a for a, b in one.statuses if a != b] == []
    assert one.spread[0] == one.spread[1]
    assert [each.records for each in found.writes] == [0, 0]
    assert not found.unread


def test_nothing_is_kept(desk):
    before = everything(desk)
    assert not impact_of(desk, changed(desk, mql={"needs": {"score": 90}})).quiet
    assert everything(desk) == before


def test_who_moves_how_far_and_why(desk):
    one = of_b2b(desk, **OTHER)
    assert (one.total.up, one.total.down) == (3, 4)
    assert short(one.risen) == ["4", "5", "6"], "6 has the score of before, in a better grade"
    assert (one.risen[0].before, one.risen[0].after) == (
        Stand(score=20, tier="C4", status="suspect"),
        Stand(score=30, tier="B4", status="suspect"),
    )
    assert (one.risen[0].reason, one.risen[0].tenths) == ("Job title", 100)
    assert short(one.fallen)[0] == "3", "who loses most comes first"
    assert (one.fallen[0].before.score, one.fallen[0].after.score, one.fallen[0].reason) == (80, 60, "Job title")
    assert (one.scored, one.total.people) == ((7, 7), 7)


def test_whose_status_changes(desk):
    one = of_b2b(desk, mql={"needs": {"score": 60}, "leave_below": {"score": 60}})
    assert (one.total.new_mql, one.total.lost_mql, one.quiet) == (0, 4, False)
    assert short(one.lost_mql) == ["1", "2", "6", "00Q5g000000"]
    assert {pair: people for pair, people in one.statuses.items() if pair[0] != pair[1]} == {("mql", "prospect"): 4}
    assert (one.risen, one.fallen) == ([], []), "nobody's score or tier changes"
    assert of_b2b(desk, mql={"needs": {"score": 20}}).total.new_mql == 2, "6 is MQL already"


def test_by_owner_and_by_segment(desk):
    one = of_b2b(desk, **OTHER)
    assert {name: (part.people, part.up, part.down) for name, part in one.owners.items()} == {
        "301": (2, 0, 2), "302": (4, 3, 1)
    }  # fmt: skip
    assert {name: (part.people, part.up, part.down) for name, part in one.segments.items()} == {
        "Alps": (4, 0, 4), "others": (3, 3, 0)
    }  # fmt: skip


def test_a_disqualifier_is_the_reason_whatever_else_changes(desk):
    one = of_b2b(desk, **OTHER, disqualify={"far": {"if": {"country": "DE"}, "label": "Too far away"}})
    assert [(moved.reason, moved.tenths) for moved in one.fallen if moved.after.tier == "F"] == [
        ("Disqualified: too far away", -500), ("Disqualified: too far away", -200), ("Disqualified: too far away", -200)
    ]  # fmt: skip


def test_people_enter_and_leave_the_audience(desk):
    one = of_b2b(desk, audience={"country": "AT"})
    assert (one.scored, one.leaving, one.entering, one.total.down) == ((7, 4), 3, 0, 0)
    assert one.statuses[("suspect", "none")] == 2
    narrow = changed(desk, audience={"country": "AT"})
    (other,) = simulate(
        desk.store, side_of(narrow), side_of(desk.settings), models=["b2b"], limit=5, push_sizes=SIZES, now=desk.now,
        progress=Quiet(),
    ).models  # fmt: skip
    assert (other.scored, other.entering) == ((4, 7), 3)


def test_a_model_on_one_side_only(desk):
    second = desk.settings.models["b2b"].model_copy(update={"model": "second"})
    two = desk.settings.model_copy(update={"models": desk.settings.models | {"second": second}})
    found = impact_of(desk, two)
    assert [(one.model, one.scored, one.entering) for one in found.models] == [
        ("b2b", (7, 7), 0), ("second", (0, 7), 7)
    ]  # fmt: skip
    assert found.models[1].rules[0] is None
    assert found.quiet is False


def test_spreads_count_everybody_with_a_score(desk):
    before, after = of_b2b(desk, **OTHER).spread
    assert dict(before.tens) == {"20-29": 2, "50-59": 4, "80-89": 1}
    assert sum(after.tens.values()) == sum(after.grades.values()) == sum(after.tiers.values()) == 7
    assert (before.grades["A"], after.grades["A"]) == (4, 4)


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_any_chunk_gives_the_same(desk, chunk):
    after = changed(desk, **OTHER)
    whole, parts = impact_of(desk, after), impact_of(desk, after, chunk=chunk)
    assert whole.to_json() == parts.to_json()


def test_what_would_be_written_is_what_the_pass_plans_then(tmp_path):
    desk = filled(tmp_path)
    after = changed(desk, **OTHER, mql={"needs": {"score": 30}})
    found = {one.connection: one for one in impact_of(desk, after).writes}
    desk.settings = after
    plans = run_pass(desk.runtime(), Options(push=False, pull=False)).plans
    for name, plan in plans.items():
        one = found[name]
        expected = (len(plan.changes), plan.counts, len(plan.held_back), plan.left_out, plan.calls(SIZES[name]))
        assert (one.records, one.counts, one.held_back, one.left_out, one.calls) == expected
    assert (found["hubspot"].records, found["hubspot"].counts.new_mql) == (5, 1), "5 is held and not written"
    assert [one.exceeded for one in found.values()] == [{}, {}]
    desk.close()


def test_the_guard_speaks_of_what_was_written_today_too(desk):
    hubspot, salesforce = desk.settings.connections
    write = hubspot.write.model_copy(update={"guard": hubspot.write.guard.model_copy(update={"lost_mql": 1})})
    after = changed(desk, mql={"needs": {"score": 90}, "leave_below": {"score": 90}})
    after = after.model_copy(update={"connections": (hubspot.model_copy(update={"write": write}), salesforce)})
    hub, org = impact_of(desk, after).writes
    assert (hub.exceeded, org.exceeded) == ({"lost_mql": (4, 1)}, {})
    assert hub.calls == 2, "four records, two a request"


def test_what_the_store_never_read_is_named(desk, tmp_path):
    facts = FACTS | {"budget": "budget", "hand_off": {"contact": "hs_lead_status", "values": {"OPEN": "accepted"}}}
    other = settings_of(
        tmp_path,
        hubspot={
            "facts": facts,
            "activities": {"form_submitted": {"from": "form_submissions"}, "met": {"from": "meetings"}},
        },
        models={"b2b": MINE},
    )
    found = impact_of(desk, other).unread
    assert asdict(found) == {
        "connections": [],
        "facts": ["hubspot: budget"],
        "kinds": ["hubspot: met"],
        "otherwise": ["hubspot: hand_off"],
    }


# beside another score


def against(desk, name, **more):
    side = side_of(desk.settings)
    return compare(desk.store, side, name, side.models["b2b"], limit=2, now=desk.now, progress=Quiet(), **more)


@pytest.mark.parametrize("name", ["theirs", "hubspot:old"])
def test_our_score_beside_theirs(desk, name):
    found = against(desk, name)
    assert (found.people, found.without, found.unreadable) == (6, 1, 0)
    ours, theirs = np.array([50.0, 50, 80, 20, 20, 50]), np.array([10.0, 20, 30, 40, 50, 60])
    assert found.correlation == rank_correlation(ours, theirs)
    assert sum(map(sum, found.quarters)) == 6
    assert [one.records[0] for one in found.apart] == ["hubspot:contact:5", "hubspot:contact:1"]
    assert (found.apart[0].ours, found.apart[0].theirs) == (20, 50.0)


def test_a_field_without_numbers_says_so(desk):
    found = against(desk, "title")
    assert (found.people, found.unreadable, found.correlation) == (0, 7, None)
    assert "cannot be told" in said(lambda out: show_impact.compared(out, found))


@pytest.mark.parametrize("name", ["hubspotscore", "hubspot:hubspotscore", "elsewhere:old", "hand_off", ":old", ""])
def test_a_field_nothing_reads_must_be_mapped_first(desk, name):
    with pytest.raises(FieldError, match="map it as a fact"):
        against(desk, name)


@pytest.mark.parametrize("name", ["phone", "email", "owner", "hubspot:email"])
def test_what_says_who_somebody_is_is_never_compared(desk, name):
    with pytest.raises(FieldError, match="says who somebody is"):
        against(desk, name)


NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30)


@given(NUMBERS)
def test_ranks_are_the_mean_of_the_places_equals_take(pairs):
    values = np.array([float(a) for a, _ in pairs])
    expected = [np.mean([place for place, each in enumerate(sorted(values), 1) if each == value]) for value in values]
    assert ranks(values).tolist() == expected


@given(NUMBERS)
def test_rank_correlation_is_symmetric_bounded_and_turns_with_the_order(pairs):
    a, b = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    found = rank_correlation(a, b)
    assert found == rank_correlation(b, a) == rank_correlation(a**3, b)
    if found is None:
        assert len(set(a.tolist())) == 1 or len(set(b.tolist())) == 1
    else:
        assert -1 <= found <= 1
        assert rank_correlation(a, -b) == pytest.approx(-found)
        assert rank_correlation(a, a) == 1


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0.0), ("7,5", None), ("nan", None), (float("inf"), None), (None, None), ("", None)]
)  # fmt: skip
def test_what_is_a_number(value, number):
    assert as_number(value) == number


# as people read it


def said(show):
    out = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False, markup=False,
        emoji=False, soft_wrap=True,
    )  # fmt: skip
    show(out)
    return out.file.getvalue()


def test_a_small_change_reads_well(desk):
    found = impact_of(desk, changed(desk, **OTHER, mql={"needs": {"score": 55}, "leave_below": {"score": 50}}), limit=3)
    before, after = (digest[:8] for digest in found.models[0].rules)
    text = said(lambda out: show_impact.impact(out, found, limit=3))
    assert max(map(len, text.splitlines())) <= 80
    assert text.replace(before, "11111111").replace(after, "22222222") == SHOWN


@pytest.fixture(scope="module")
def folder(desk, tmp_path_factory):
    """A config folder on the desk's store, whose model is another one than scores; and one more beside it."""
    made = tmp_path_factory.mktemp("config")
    for place, model in (("here", MINE), ("there", MINE | OTHER)):
        (made / place / "connections").mkdir(parents=True)
        (made / place / "models").mkdir()
        (made / place / "models/b2b.yaml").write_text(json.dumps(model))
        installation = {"store": desk.settings.store, "time_zone": "UTC", "primary": "b2b"}
        (made / place / "leadmark.yaml").write_text(json.dumps(installation))
        forms = {"activities": {"form_submitted": {"from": "form_submissions", "forms": ["F1"]}}}
        for written in (HUBSPOT | {"facts": FACTS} | forms, SALESFORCE):
            path = made / place / "connections" / f"{written['name']}.yaml"
            path.write_text(json.dumps({key: value for key, value in written.items() if key not in {"name", "links"}}))
    return made


def typing(folder, capsys, *words):
    code = run([words[0], "--config", str(folder / "here"), *words[1:]])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_the_command_compares_with_another_folder_and_with_what_scores(folder, capsys, monkeypatch):
    monkeypatch.setenv("LEADMARK_NOW", NOW.isoformat())
    code, told = typing(folder, capsys, "simulate", str(folder / "there"))
    assert (code, "Furthest down" in told, "Job title -10" in told) == (0, True, True)
    code, told = typing(folder, capsys, "simulate", "--json")
    assert (code, json.loads(told)["quiet"]) == (0, True)
    code, told = typing(folder, capsys, "simulate", "--model", "b2c")
    assert (code, "did you mean" in told) == (64, True)
    code, told = typing(folder, capsys, "simulate", "--against", "theirs")
    assert (code, "rank correlation" in told) == (0, True)
    code, told = typing(folder, capsys, "simulate", "--against", "nothing")
    assert (code, "map it as a fact" in told) == (1, True)
    (folder / "there/models/b2b.yaml").write_text("model: b2b\nweight: 1\n")
    code, told = typing(folder, capsys, "simulate", str(folder / "there"))
    assert (code, "nothing was compared" in told) == (1, True)


def test_what_waits_is_listed_with_its_impact(folder, capsys, monkeypatch):
    monkeypatch.setenv("LEADMARK_NOW", NOW.isoformat())
    file = folder / "here/approvals.yaml"
    digest = model_digest(ScoringModel.model_validate(MINE))
    file.write_text(f"approved: [{{model: b2b, digest: {digest}, sales: Jo, on: 2026-11-01}}]\n")
    (folder / "here/models/b2b.yaml").write_text(json.dumps(MINE | OTHER))
    code, told = typing(folder, capsys, "approve")
    waits = model_digest(ScoringModel.model_validate(MINE | OTHER))
    assert code == 0
    assert f"b2b: the rules in models/b2b.yaml, {waits}, wait for approval" in told
    assert "7 people, 3 up and 4 down" in told
    assert f"leadmark approve {waits[:8]} --sales NAME" in told
    code, told = typing(folder, capsys, "status")
    assert f"scores by rules {digest[:8]}; {waits[:8]} waits for approval" in told
    file.write_text("approved: [{model: b2b, digest: 0123456789abcdef, sales: Jo, on: 2026-11-01}]\n")
    lost = "the rules approved last (0123456789abcdef) never scored on this store"
    code, told = typing(folder, capsys, "approve")
    assert (code, told.count("Their impact is not known"), lost in told) == (0, 1, True)
    code, told = typing(folder, capsys, "approve", "--json")
    found = json.loads(told)
    assert (code, found["impact"], lost in found["impact_unknown"]) == (0, None, True)
    code, told = typing(folder, capsys, "simulate")
    assert (code, lost in told) == (1, True)


SHOWN = """\
b2b: version 22222222 of the rules in place of 11111111, for 8 people

  scored          7 people
  move            7 people, 3 up and 4 down (5 points or the tier)
  become MQL      0 people
  stop being MQL  3 people

Furthest up
  record     score     tier      why, in points
  hubspot:4  20 -> 30  C4 -> B4  Job title +10
  hubspot:5  20 -> 30  C4 -> B4  Job title +10
  hubspot:6  50        C2 -> B3  Job title +10

Furthest down
  record     score     tier      why, in points
  hubspot:3  80 -> 60  A2 -> A3  Job title -10
  hubspot:1  50 -> 40  A4        Job title -10
  hubspot:2  50 -> 40  A4        Job title -10
  and 1 more; --limit shows more

No longer MQL
  record                         score     tier  why, in points
  hubspot:1                      50 -> 40  A4    Job title -10
  hubspot:2                      50 -> 40  A4    Job title -10
  salesforce:00Q5g0000000008EAA  50 -> 40  A4    Job title -10

Statuses that change
  from  to        people
  MQL   Prospect       3

By owner
  owner  people  up  down  new MQL  MQL no more
  302         4   3     1        0            0
  301         2   0     2        0            2

By segment
  segment  people  up  down  new MQL  MQL no more
  Alps          4   0     4        0            3
  others        3   3     0        0            0

Scores
  score   now  then
  0-9       0     0
  10-19     0     0
  20-29     2     0  -2
  30-39     0     2  +2
  40-49     0     3  +3
  50-59     4     1  -3
  60-69     0     1  +1
  70-79     0     0
  80-89     1     0  -1
  90-100    0     0

Grades
  grade  now  then
  A        4     4
  B        0     3  +3
  C        3     0  -3
  D        0     0
  F        0     0

Tiers, by grade and level of engagement
     1       2       3       4
  A  0  1 -> 0  0 -> 1       3
  B  0       0  0 -> 1  0 -> 2
  C  0  1 -> 0       0  2 -> 0
  D  0       0       0       0

hubspot: 5 records to write in 3 calls
  The guard would let it through
salesforce: 1 record to write in 1 call
  The guard would let it through
"""
