"""The handbook as people get it: Markdown of 80 columns, a page of HTML, and what changed since a model that ran."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from config import starters
from config.loader import load
from config.reading import read
from scoring.digests import model_digest
from scoring.document import Document, Line, Section
from scoring.handbook import handbook
from scoring.model import ScoringModel
from sync.cli import run
from sync.cli.document import html, markdown
from sync.store import tables
from sync.store.store import open_store
from sync.store.values import micros
from tests.test_scoring_handbook import labels, lines

HERE = Path(__file__).parent
DAY = date(2026, 11, 22)
RAN = datetime(2026, 11, 3, 12, tzinfo=UTC)


def model_of(text):
    document, problems = read("model", text)
    assert not problems
    return ScoringModel.model_validate(document.value)


# Markdown and HTML


def test_a_model_with_every_key_reads_as_it_did():
    model = model_of((HERE / "data" / "handbook" / "every_key.yaml").read_text(encoding="utf-8"))
    shown = markdown(handbook(model, DAY))
    assert shown == (HERE / "data" / "handbook" / "every_key.md").read_text(encoding="utf-8")
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("starter", starters.names())
@pytest.mark.parametrize("crm", [("hubspot",), ("salesforce",)], ids=str)
def test_the_handbook_of_a_starter_is_for_people(starter, crm, tmp_path):
    starters.write(starter, tmp_path / "config", crm)
    settings, _ = load(tmp_path / "config")
    for model in settings.models.values():
        shown = markdown(handbook(model, DAY))
        words = " ".join(shown.split())
        assert max(map(len, shown.splitlines())) <= 80
        assert "_" not in shown
        assert all(label in words for label in labels(model))
        assert not re.search(r"\b1 (points|days|times|seconds)\b|None|\b0\.0|Decimal", shown)


ODD = Document(
    title="# A <title>",
    text=("1. no list, *no* emphasis, `no` code, [no](link) & <b>no</b> a_b",),
    sections=(
        Section(
            key="one",
            title="One",
            text=("x" * 90, "word " * 16 + "- no list " + "word " * 14 + "1. no list"),
            items=(Line(key="a", label="<script>alert(1)</script>", says=('"quoted"', "a_b")),),
            ordered=True,
            sections=(Section(key="two", title="Two", items=(Line(key="b", says=("plain",)),)),),
        ),
    ),
)


def test_what_an_admin_wrote_is_no_markdown():
    assert markdown(ODD).splitlines() == [
        "# # A \\<title>",
        "",
        "1\\. no list, \\*no\\* emphasis, \\`no\\` code, \\[no\\](link) \\& \\<b>no\\</b> a\\_b",
        "",
        "## One",
        "",
        "x" * 90,
        "",
        ("word " * 16).strip(),
        "\\- no list " + ("word " * 14).strip(),
        "1\\. no list",
        "",
        '1. **\\<script>alert(1)\\</script>**: "quoted"; a\\_b',
        "",
        "### Two",
        "",
        "- plain",
    ]


class Page(HTMLParser):
    """The elements of a page in the order of their ends, and its text by element; open elements in ``open``."""

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1], data))


def page(text):
    parser = Page()
    parser.feed(text)
    assert parser.open == []
    return parser.texts


def test_a_page_says_what_the_document_says_and_nothing_in_it_is_markup():
    texts = page(html(ODD))
    assert [(tag, text) for tag, text in texts if tag not in ("style", "title")] == [
        ("h1", ODD.title),
        ("p", ODD.text[0]),
        ("h2", "One"),
        ("p", ODD.sections[0].text[0]),
        ("p", ODD.sections[0].text[1]),
        ("strong", "<script>alert(1)</script>"),
        ("li", ': "quoted"; a_b'),
        ("h3", "Two"),
        ("li", "plain"),
    ]


def test_a_page_needs_nothing_from_elsewhere_and_fits_a_phone_and_the_dark():
    model = model_of((HERE / "data" / "handbook" / "every_key.yaml").read_text(encoding="utf-8"))
    text = html(handbook(model, DAY))
    shown = "".join(text for tag, text in page(text) if tag not in ("style", "title"))
    assert shown == "".join(lines(handbook(model, DAY)))
    assert not re.search(r"https?:|src=|href=|url\(|<script|@import", text)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert "prefers-color-scheme: dark" in text


# The command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADMARK_NOW", "2026-11-22T10:00:00+00:00")
    shutil.copytree(HERE / "data" / "config" / "good", tmp_path / "config")
    return tmp_path / "config"


def leadmark(folder, *arguments):
    return run(["handbook", "--config", str(folder), *arguments])


def ran(folder, *texts, digests=()):
    """A store in which the models of these texts ran, a day after another; their digests."""
    settings, _ = load(folder)
    store = open_store(settings.store)
    digests = digests or [model_digest(model_of(text)) for text in texts]
    with store.begin() as tx:
        for days, (digest, text) in enumerate(zip(digests, texts, strict=True)):
            row = {"digest": digest, "model": "b2b", "text": text, "first_at": micros(RAN + timedelta(days=days))}
            tx.execute(tables.model_text.insert().values(row))
    store.close()
    return digests


def text_of(folder):
    return (folder / "models" / "b2b.yaml").read_text(encoding="utf-8")


def test_the_command_shows_the_primary_model_with_digest_and_date_and_needs_no_store(folder, capsys):
    assert leadmark(folder) == 0
    settings, _ = load(folder)
    shown = capsys.readouterr().out
    assert shown == markdown(handbook(settings.models["b2b"], DAY))
    assert f"As of 22 Nov 2026, version {model_digest(settings.models['b2b'])} of the rules." in shown


@pytest.mark.parametrize(
    ("approved", "says"),
    [
        ([], "These rules wait for approval; until then this model scores nobody."),
        (["0" * 16, "1" * 16], "These rules wait for approval; until then version 1111111111111111 scores."),
    ],
    ids=["none approved", "two approved"],
)
def test_rules_that_wait_for_approval_say_so_and_which_score(folder, capsys, approved, says):
    entries = "".join(f'  - {{model: b2b, digest: "{each}", sales: Jo, on: 2026-11-22}}\n' for each in approved)
    (folder / "approvals.yaml").write_text(f"approved:\n{entries}" if entries else "approved: []\n")
    (digest,) = ran(folder, text_of(folder))
    assert leadmark(folder) == 0
    version, waits, *_ = capsys.readouterr().out.split("\n\n")[1:]
    assert (version[:13], " ".join(waits.split())) == ("As of 22 Nov ", says)
    assert leadmark(folder, "--html") == 0
    assert f"of the rules.</p>\n<p>{says}</p>" in capsys.readouterr().out
    assert leadmark(folder, "--since", digest) == 0
    assert says in " ".join(capsys.readouterr().out.split())


def test_approved_rules_say_nothing_of_it(folder, capsys):
    digest = model_digest(model_of(text_of(folder)))
    (folder / "approvals.yaml").write_text(
        f'approved:\n  - {{model: b2b, digest: "{digest}", sales: Jo, on: 2026-11-22}}\n'
    )
    assert leadmark(folder) == 0
    assert "approval" not in capsys.readouterr().out


def test_the_command_writes_a_page_to_a_file(folder, tmp_path, capsys):
    assert leadmark(folder, "--model", "b2b", "--html", "--out", str(tmp_path / "handbook.html")) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "handbook.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_file_that_cannot_be_written_is_said(folder, tmp_path, capsys):
    assert leadmark(folder, "--out", str(tmp_path)) == 1
    assert capsys.readouterr().err == f"{tmp_path} cannot be written: Is a directory\n"


@pytest.mark.parametrize(("name", "hint"), [("b2c", ', did you mean "b2b"?'), ("xyz", "; there are: b2b")])
def test_a_model_that_is_not_there_is_wrong_usage(folder, capsys, name, hint):
    assert leadmark(folder, "--model", name) == 64
    assert f'there is no model "{name}"{hint}' in capsys.readouterr().err


def test_since_shows_what_changed(folder, capsys):
    before = text_of(folder)
    old, _ = load(folder)
    (digest,) = ran(folder, before)
    (folder / "models" / "b2b.yaml").write_text(before.replace("fit: 40, engagement: 60", "fit: 30, engagement: 70"))
    new, _ = load(folder)
    assert leadmark(folder, "--since", digest[:6].upper()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "# What changed: how “b2b” scores people",
        "",
        f"As of 22 Nov 2026, version {model_digest(new.models['b2b'])} of the rules, compared with version",
        f"{model_digest(old.models['b2b'])}, which ran first on 3 Nov 2026.",
        "",
        "## What the score is made of",
        "",
        "- **Fit**: 40 -> 30 % of the score",
        "- **Engagement**: 60 -> 70 % of the score",
    ]


def test_an_unknown_digest_is_said_with_those_that_ran(folder, capsys):
    text = text_of(folder)
    one, two = ran(folder, text, text.replace("fit: 40, engagement: 60", "fit: 30, engagement: 70"))
    for since in ("nope", ""):
        assert leadmark(folder, "--since", since) == 1
        assert capsys.readouterr().err.splitlines() == [
            "of this model no digest begins with that; those that ran:",
            f"  {one}  first on 2026-11-03",
            f"  {two}  first on 2026-11-04",
        ]


def test_without_any_model_that_ran_there_is_none_to_name(folder, capsys):
    ran(folder)
    assert leadmark(folder, "--since", "12") == 1
    assert capsys.readouterr().err == "of this model no digest begins with that; those that ran: none yet\n"


def test_the_beginning_of_several_digests_is_said(folder, capsys):
    ran(folder, "a: 1", "a: 2", digests=["ffff0", "ffff1"])
    assert leadmark(folder, "--since", "ffff") == 1
    assert "of this model several digests begin with that; those that ran:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [("a: 1", '"model" is missing'), ("a: [", ""), ("a", "keys with values")],
    ids=["a key of another time", "no YAML", "no mapping"],
)
def test_a_text_that_this_version_cannot_read_is_said_in_one_line(folder, capsys, text, says):
    ran(folder, text, digests=["ffff"])
    assert leadmark(folder, "--since", "ffff") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("the model of digest ffff cannot be read by this version: ")
    assert says in line
