"""A case made of a person passes, and holds nothing that is the person's own."""

import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from config.loader import load
from scoring.journey import Journey
from sync.answers.explain import scoring_of
from sync.answers.golden_add import made_of
from sync.beginnings import FIRST_COMPLETE
from sync.cli import run
from sync.store import tables, timelines
from sync.store.store import open_store, set_meta
from sync.store.values import dump, micros

NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
FILES = {
    "leadmark.yaml": "store: ../store\ntime_zone: Europe/Berlin\nprimary: b2b\n",
    "lists/targets.txt": "target.example\n",
    "connections/hubspot.yaml": """crm: hubspot
portal: {id: 1, production: false}
login: {service_key: env:HS_TOKEN}
facts: {email: email, name: name, title: title, company: company, employees: employees, industry: industry,
  country: country, need_date: need_date, owner: owner, opted_out: opted_out, do_not_profile: dnp,
  hand_off: {contact: status, values: {BAD: recycled, OPEN: accepted, LOST: lost}}}
activities:
  content_downloaded: {from: form_submissions, forms: [F7, F8, F9], keep: {form: form}}
  form_submitted: {from: form_submissions, forms: [F1, F2, F3, F4], keep: {form: form}}
  email_clicked: {from: email_events, type: CLICK, keep: {mail: campaign}}
  list_joined: {from: lists, lists: [L1, L2, L3], keep: {list: list}}
  call_received: {from: calls}
write: {fields: {b2b: {outputs: [score]}}}
""",
    "models/b2b.yaml": """model: b2b
audience: {country: {not_in: [Atlantis]}}
weights: {fit: 40, engagement: 60}
decays: {slow: {half_life: 60d}, click: {steps: {7d: 100%, 14d: 50%}}}
fit:
  seniority: {weight: 40, percent: {c_level: 100, vp: 100, director: 50, other: 10}}
  employees: {weight: 20, percent: {1-49: 20, 50+: 100}}
  industry: {weight: 20, percent: {Software: 100, other: 30}}
  need_date: {weight: 20, percent: {within 90d: 100, past 30d: 20}}
  adjust:
    free: {if: {email_type: free}, points: -10, label: Private address}
    target: {if: {email_domain: {in_list: targets}}, points: 15, label: Target account}
    no_company: {if: {company: {missing: true}}, points: -10, label: Company unknown}
    sales: {if: {title: {contains: [sales, vertrieb]}}, points: 5, label: In sales}
    head: {if: {title: {starts_with: head}}, points: 5, label: Heads something}
    gmbh: {if: {company: {ends_with: gmbh}}, points: 5, label: Limited}
    owned: {if: {owner: {present: true}}, points: 5, label: Has an owner}
    spam: {if: {looks_like_spam: true}, points: -20, label: Spam}
    holes: {if: {missing: {contains: employees}}, points: -5, label: Size unknown}
engagement:
  asked:
    label: Asked
    cap: 60
    match: first
    rules:
      demo: {activity: form_submitted, where: {form: {contains: demo}}, points: 40, decay: slow, label: Demo}
      by_id: {activity: form_submitted, where: {form: F3}, points: 30, decay: slow, label: Call me}
      form: {activity: form_submitted, points: 5, limit: 1 per month each form, label: A form}
  rest:
    label: Rest
    cap: 40
    floor: -10
    rules:
      jobs: {activity: list_joined, where: {list: Jobs}, points: -10, label: Jobs}
      prices: {activity: list_joined, where: {not: {list: [Jobs, L1]}}, points: 10, decay: slow, label: Prices}
      click: {activity: email_clicked, points: 3, decay: click, limit: 1 per day each mail, label: Click}
      call: {activity: call_received, points: 20, decay: slow, label: Call}
patterns:
  reader: {all: [{at_least: 2, activity: content_downloaded, distinct: form}, {at_most: 0, rule: demo}], points: -5,
    label: Reads all}
  many: {all: [{at_least: 3, activity: email_clicked, distinct: true, within: 30d}], points: 5, label: Many mails}
silence: {after: 30d, take: 5, every: 7d, at_most: 20}
bots: {clicks_closer_than: 3s}
disqualify: {student: {if: {seniority: student}, label: Student}}
mql:
  needs: {score: 40, grade: C or better}
  instant: {demo: {grade: D or better, lasts: 20d}}
  recycle: {keep_at_most: 15}
  lost_for: 60d
""",
}
TOUCHPOINTS = [
    ("form_submitted", {"form": ("F1", "Demo request")}),
    ("form_submitted", {"form": ("F2", "Contact")}),
    ("form_submitted", {"form": ("F3", "Please call Jo Miller")}),
    ("form_submitted", {"form": ("F4", "Contact")}),
    ("content_downloaded", {"form": ("F7", "Paper: 7")}),
    ("content_downloaded", {"form": ("F8", "Paper: 7")}),
    ("content_downloaded", {"form": ("F9", "")}),
    ("email_clicked", {"mail": ("M1", "To jo.miller@own.example")}),
    ("email_clicked", {"mail": ("M2", "News")}),
    ("email_clicked", {"mail": ("M3", "News")}),
    ("list_joined", {"list": ("L1", "Prices")}),
    ("list_joined", {"list": ("L2", "Jobs")}),
    ("list_joined", {"list": ("L3", "Prices")}),
    ("call_received", {}),
    ("meeting_held", {}),
]
POOLS = {
    "email": ["jo.miller@own.example", "kim@target.example", "kim.x@gmail.com", "broken", None],
    "name": ["Jo Miller", "xkcdfgh qwertz", None],
    "title": ["VP Sales", "Head of Vertrieb, Jo's team", "Werkstudent", "Retired king", None, None, None],
    "company": ["Miller Machines GmbH", "Miller Machines", None],
    "employees": [1, 49, 50, 3000, None],
    "industry": ["software", "Basket weaving: all kinds", None],
    "country": ["Norway", "Norway", "Norway", "Norway", "Atlantis", None],
    "need_date": [TODAY, TODAY + 90 * DAY, TODAY + 91 * DAY, TODAY - 5 * DAY, None],
    "owner": ["jane@seller.example", None],
    "opted_out": [True, None],
}
OWN = ("miller", "own.example", "@", "gmail", "king", "basket", "jane", "norway", "jo's")
PERSONS = 50


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("golden") / "config"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def settings(folder):
    found, problems = load(folder)
    assert found is not None, "\n".join(map(str, problems))
    return found


def person(chance):
    """Facts, activities as (instant, touchpoint), sales' word with its instant, and the journey before."""
    facts = {name: chance.choice(pool) for name, pool in POOLS.items()}
    acts = []
    for _ in range(chance.choice([0, 1, 3, 8, 20])):
        at = (
            NOW
            - DAY * chance.choice([0, 1, 2, 5, 10, 30, 31, 50, 100, 700, 800, -3])
            - timedelta(seconds=chance.choice([0, 1, 2, 4, 30_000, 80_000]))
        )
        acts.append((at, chance.randrange(len(TOUCHPOINTS)) + 1))
    word = chance.choice([None, None, "recycled", "recycled", "accepted", "lost"])
    said = word and (word, NOW - DAY * chance.choice([0, 2, 10, 40, 61, 90]) - timedelta(seconds=20_000))
    status = chance.choice([None, "mql", "mql", "prospect", "suspect", "disqualified", "recycled", "won"])
    journey = None
    if status is not None:
        since = TODAY - DAY * chance.choice([0, 1, 5, 9, 30])
        known = said if said and said[1].date() <= since else None
        journey = Journey(
            status=status,
            since=since,
            cause="activity",
            furthest=chance.choice([status, "mql"]) if status != "disqualified" else chance.choice(["suspect", "mql"]),
            sales=known[0] if known else None,
            sales_at=micros(known[1]) if known else None,
        )
    return facts, acts, said, journey


_chance = random.Random(7)
VP = {"title": "VP Sales", "employees": 60, "industry": "Software", "country": "Norway"}
MORNING = datetime(2026, 11, 12, 7, tzinfo=UTC)
#: where the order within a day decides, and how far somebody once was
DELIBERATE = [
    (VP, [(MORNING + timedelta(hours=1), 1)], ("recycled", MORNING), None),
    (VP, [(MORNING - timedelta(hours=1), 1)], ("recycled", MORNING), None),
    (VP, [], None, Journey(status="disqualified", since=TODAY - 9 * DAY, cause="facts", furthest="mql")),
]
CHOSEN = [*DELIBERATE, *(person(_chance) for _ in range(PERSONS - len(DELIBERATE)))]
REFUSING = PERSONS + 1


@pytest.fixture(scope="module")
def store(settings):
    opened = open_store(settings.store)
    with opened.begin() as tx:
        tx.execute(insert(tables.touchpoint), [
            {"number": nth, "connection": "hubspot", "kind": kind,
             "ids": dump({name: id_ for name, (id_, _) in held.items()}),
             "labels": dump({name: label for name, (_, label) in held.items()})}
            for nth, (kind, held) in enumerate(TOUCHPOINTS, 1)
        ])  # fmt: skip
        set_meta(tx, FIRST_COMPLETE + "hubspot", "0")
        for number, one in enumerate(CHOSEN, 1):
            put(tx, number, *one)
        put(tx, REFUSING, {"do_not_profile": True}, [], None, None)
    yield opened
    opened.close()


def put(tx, number, facts, acts, said, journey):
    inputs = {
        ("dnp" if name == "do_not_profile" else name): value for name, value in facts.items() if value is not None
    }
    row = {
        "number": number, "connection": "hubspot", "object": "contact", "crm_id": str(number), "person": number,
        "inputs": dump(inputs), "stamp_at": 0, "created_at": 0, "state": "live",
        "word": said and said[0], "word_at": said and micros(said[1]),
    }  # fmt: skip
    tx.execute(insert(tables.person).values(number=number, stale=False))
    tx.execute(insert(tables.record).values(row))
    packed = timelines.pack([(micros(at), point, number * 1000 + nth) for nth, (at, point) in enumerate(acts)])
    tx.execute(insert(tables.timeline).values(record=number, activities=packed.tobytes()))
    if journey is not None:
        held = {"journey": dump(journey.to_dict()), "status": journey.status, "score": 0, "tier": "D4"}
        tx.execute(
            insert(tables.journey).values(
                person=number, model="b2b", cause="activity", scored_on=str(TODAY - DAY), **held
            )
        )


@pytest.fixture(scope="module")
def made(store, settings):
    with store.begin() as tx:
        scoring = scoring_of(tx, settings, NOW)
        return [made_of(tx, number, scoring, settings) for number in range(1, PERSONS + 1)]


def test_a_case_made_of_anybody_passes(made):
    wrong = [(number, one.text, one.misses) for number, one in enumerate(made, 1) if one.misses]
    assert not wrong, "\n".join(f"{number}\n{text}{misses}" for number, text, misses in wrong[:3])


def test_the_time_is_part_of_it_where_the_order_within_a_day_matters(made):
    newer, older, _ = made[: len(DELIBERATE)]
    assert 'at: "2026-11-12 09:00:00"' in newer.text
    assert (newer.file, older.file) == ("a3-mql", "a4-recycled")


def test_it_holds_nothing_of_the_persons_own(made):
    for one in made:
        assert not [word for word in OWN if word in one.text.casefold()], one.text


def test_the_journey_before_is_part_of_it_only_where_it_matters(made):
    """Made without it, as most are, a case would not have passed."""
    assert 0 < sum("  was: " in one.text for one in made) < PERSONS / 3


def test_only_what_the_model_looks_at_is_carried_over(made):
    text = "".join(one.text for one in made)
    assert "opted_out" not in text
    assert "meeting_held" not in text
    assert not [label for label in ("Contact", "Paper", "News", "Prices") if label in text]  # no rule asks for these
    assert {"form: Demo request", "form: F3", "mail: mail 1"} <= set(
        text.replace("}", ",").replace(", ", "\n").split("\n")
    )


# The command


@pytest.fixture
def now(monkeypatch, store, folder):
    monkeypatch.setenv("LEADMARK_NOW", NOW.isoformat())
    yield
    for path in (folder / "golden").glob("*"):
        path.unlink()


def add(folder, capsys, *arguments):
    code = run(["golden", "add", *arguments, "--config", str(folder)])
    return code, *capsys.readouterr()


def test_a_made_case_is_written_and_passes_the_test(now, folder, capsys):
    code, out, err = add(folder, capsys, "5", "--name", "five")
    assert (code, err) == (0, "")
    assert f"{folder}/golden/five.yaml is written; it passes" in out
    assert (folder / "golden" / "five.yaml").read_text() in out
    assert run(["test", "five", "--config", str(folder)]) == 0
    assert capsys.readouterr().out.endswith("1 case, all as expected\n")


def test_a_file_is_never_written_over(now, folder, capsys):
    assert add(folder, capsys, "5", "--name", "five")[0] == 0
    before = (folder / "golden" / "five.yaml").read_text()
    code, _, err = add(folder, capsys, "6", "--name", "five")
    assert (code, "five.yaml already exists; nothing was written" in err) == (1, True)
    assert (folder / "golden" / "five.yaml").read_text() == before


def test_without_a_name_it_is_called_by_tier_and_status(now, folder, capsys):
    stem = made_name(add(folder, capsys, "5", "--json")[1])
    assert made_name(add(folder, capsys, "5", "--json")[1]) == f"{stem}-2"
    assert not [one for one in load(folder)[1] if one.path.startswith("golden")]


def made_name(out):
    found = json.loads(out)
    assert found["written"]
    return found["case"].partition("/")[0]


@pytest.mark.parametrize("name", ["../five", "Five", "five.yaml", ""])
def test_a_name_is_a_files_name(now, folder, capsys, name):
    assert add(folder, capsys, "5", "--name", name)[0] == 64
    assert not list(folder.rglob("[Ff]ive*"))


def test_the_editors_schema_is_named_where_there_is_one(now, folder, capsys):
    (folder / ".schemas").mkdir()
    (folder / ".schemas" / "golden.schema.json").write_text("{}")
    add(folder, capsys, "5", "--name", "five")
    first = (folder / "golden" / "five.yaml").read_text().splitlines()[0]
    assert (folder / "golden" / first.split("$schema=")[1]).is_file()


UNLIKE_CASES = [
    # remark, fact, what the model asks of it, the person's own value
    ("part of a name", "name", "{contains: jo m}", "Jo Miller"),
    ("a form that free text may have", "title", "{matches: ret.*}", "Retired king"),
    ("parts that overlap", "title", "{starts_with: ret, contains: king, ends_with: red king}", "Retired king"),
]


@pytest.mark.parametrize(("remark", "fact", "asked", "own"), UNLIKE_CASES, ids=[one[0] for one in UNLIKE_CASES])
def test_what_cannot_be_told_without_naming_somebody_is_said_and_nothing_is_written(
    now, folder, made, capsys, remark, fact, asked, own
):
    model = folder / "models" / "b2b.yaml"
    text = model.read_text()
    named = f"us: {{if: {{{fact}: {asked}}}, points: -100, label: Us}}"
    model.write_text(text.replace("adjust:\n", f"adjust:\n    {named}\n"))
    number = next(
        nth
        for nth, (one, case) in enumerate(zip(CHOSEN, made, strict=True), 1)
        if one[0].get(fact) == own and re.search("grade: [ABC]", case.text)
    )
    try:
        code, out, _ = add(folder, capsys, str(number))
    finally:
        model.write_text(text)
    assert code == 1
    assert f"Fact {fact} is not carried over" in out
    assert own not in out
    assert "so nothing is written" in out
    assert not list((folder / "golden").glob("*"))


def test_no_case_is_made_of_who_is_not_to_be_profiled(now, folder, capsys):
    code, out, err = add(folder, capsys, str(REFUSING))
    assert (code, out) == (1, "")
    assert "not to be profiled" in err
