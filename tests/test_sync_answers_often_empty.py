"""What `check` says after a look at the store: negative tests on facts that are often empty."""

import json
import sqlite3

import pytest

from config.reading import read
from scoring.model import ScoringModel
from sync.answers.often_empty import often_empty
from sync.cli import run
from sync.store.store import open_store
from tests.two_crms import MODEL, both, record, settings_of

PEOPLE = [{"country": "NO", "employees": 5}] * 4 + [{"country": "SE"}] * 3 + [{"employees": 9}] * 3
ABROAD = {"if": {"country": {"not_in": ["NO"]}}, "points": -5, "label": "Abroad"}


def said(model, people=PEOPLE, **files):
    """Every warning of the model and of leadmark.yaml, as text."""
    settings = settings_of().model_copy(update={"models": {"b2b": ScoringModel.model_validate(MODEL | model)}})
    texts = {"models/b2b.yaml": json.dumps(MODEL | model), **files}
    return [
        str(one)
        for one in often_empty(settings, {path: read(path, text)[0] for path, text in texts.items()}, people, 0)
    ]


def adjust(**condition):
    return {"fit": MODEL["fit"] | {"adjust": {"a": {"if": condition, "points": 1, "label": "A"}}}}


@pytest.mark.parametrize(
    ("people", "unknown"),
    [
        ([{"country": "NO"}] * 2 + [{}] * 3, "60 %"),
        ([{"country": "NO"}] + [{}] * 2, "67 %"),
        ([{}], "100 %"),
        ([{"country": "NO"}, {}], None),  # half is not more than half
        ([], None),
    ],
)
def test_a_fact_that_more_than_half_lack_is_told(people, unknown):
    found = said(adjust(country={"not_in": ["NO"]}), people)
    assert len(found) == (unknown is not None)
    assert all(f"country is unknown for {unknown} of people, so `not_in` holds for them" in one for one in found)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (adjust(employees={"above": 3}), []),
        (adjust(country={"not_in": ["NO"]}), []),  # 30 %
        (adjust(**{"not": {"title": "CEO"}}), ["title is unknown for 100 % of people, so `not` holds"]),
        (adjust(title={"present": True, "not_in": ["CEO"]}), []),
        (adjust(missing={"not_in": ["title"]}), []),  # who lacks nothing
        ({"audience": {"title": {"not_in": ["CEO"]}}}, ["title is unknown for 100 % of people, so `not_in`"]),
        # those in the audience decide
        ({"audience": {"country": "SE"}} | adjust(employees={"not_in": [5]}), ["100 % of people in the audience"]),
        ({"audience": {"employees": {"present": True}}} | adjust(employees={"not_in": [5]}), []),
        ({"audience": {"country": "DK"}} | adjust(title={"not_in": ["CEO"]}), []),  # nobody there
    ],
)  # fmt: skip
def test_negative_tests_of_a_model_are_asked_of_its_audience(model, words):
    found = said(model)
    assert len(found) == len(words)
    assert all(word in one for word, one in zip(words, found, strict=True))


def test_a_warning_stands_at_the_test_in_every_file():
    found = said({}, **{"leadmark.yaml": "segments:\n  Far: {title: {not_in: [CEO]}}\n"})
    (one,) = found
    assert one.startswith(
        "leadmark.yaml:2:17: warning: title is unknown for 100 % of people, so `not_in` holds for them"
    )
    assert "`title: {present: true}` beside it" in one


@pytest.fixture
def folder(tmp_path):
    config = tmp_path / "config"
    assert run(["init", str(config)]) == 0
    model = next((config / "models").iterdir())
    text = model.read_text(encoding="utf-8")
    place = text.index("disqualify:\n") + len("disqualify:\n")
    more = "  far: {if: {country: {not_in: [NO]}}, label: Far}\n"
    model.write_text(text[:place] + more + text[place:], encoding="utf-8")
    return config


def stored(tmp_path, folder):
    """A store with three people of no country, where the config says it is."""
    found = both(tmp_path / "made")
    found.hub(*(record("contact", str(number)) for number in range(1, 4)))
    found.identify()
    found.store.close()
    (folder / "leadmark.yaml").write_text(
        "\n".join(
            f"store: {tmp_path / 'made' / 'store'}" if line.startswith("store:") else line
            for line in (folder / "leadmark.yaml").read_text(encoding="utf-8").splitlines()
        ),
        encoding="utf-8",
    )
    return tmp_path / "made" / "store" / "leadmark.sqlite3"


WORDS = "country is unknown for 100 % of people"


def checked(folder, capsys):
    capsys.readouterr()
    assert run(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("fine: ")
    return WORDS in said


def test_check_looks_at_a_store_that_is_there(tmp_path, folder, capsys):
    assert not checked(folder, capsys)
    file = stored(tmp_path, folder)
    assert checked(folder, capsys)
    assert run(["check", str(folder), "--json"]) == 0
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [one["severity"] for one in problems if WORDS in one["message"]] == ["warning"]
    with sqlite3.connect(file) as held:
        held.execute("UPDATE alembic_version SET version_num = '0001'")
    held.close()
    assert not checked(folder, capsys), "an old schema is no mistake of the config"


def test_check_does_not_wait_for_a_store_that_others_hold(tmp_path, folder, capsys):
    file = stored(tmp_path, folder)
    held = sqlite3.connect(file, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    assert not checked(folder, capsys)
    held.close()


@pytest.mark.parametrize(
    "store", ["env:NO_SUCH_STORE", "nothing://db.example/x", "postgresql://127.0.0.1:1/none", "nowhere"]
)
def test_check_says_nothing_of_a_store_it_cannot_read(tmp_path, folder, capsys, monkeypatch, store):
    monkeypatch.delenv("NO_SUCH_STORE", raising=False)
    path = folder / "leadmark.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join(f"store: {store}" if one.startswith("store:") else one for one in lines), encoding="utf-8"
    )
    assert not checked(folder, capsys)
    assert not (folder / "nowhere").exists(), "a look makes nothing"


def test_an_empty_file_is_no_store_to_look_at(tmp_path, folder, capsys):
    file = stored(tmp_path, folder)
    file.with_name("leadmark.sqlite3-wal").unlink(missing_ok=True)
    file.write_bytes(b"")
    assert not checked(folder, capsys)
    open_store(str(file.parent)).close()
