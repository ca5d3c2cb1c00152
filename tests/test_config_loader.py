"""A folder becomes settings, or problems; what lies beside the config is told, and overlays lay over it."""

import copy
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config.hubspot import HubSpotConnection
from config.loader import load
from config.reading import read
from config.salesforce import SalesforceConnection
from config.settings import Installation
from config.validating import validate
from scoring.model import ScoringModel

GOOD = Path(__file__).parent / "data" / "config" / "good"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(GOOD, tmp_path / "config"))


def loaded(folder, overlay=None):
    found, problems = load(folder, overlay)
    assert found is not None, "\n".join(map(str, problems))
    return found


def messages(folder, overlay=None):
    return [str(problem) for problem in load(folder, overlay)[1]]


def test_the_settings_hold_what_the_files_say(folder):
    found = loaded(folder)
    connection = found.connections[0]
    assert found.folder == folder
    assert found.store == str(folder.parent / "store")
    assert (found.time_zone, found.primary) == ("Europe/Berlin", "b2b")
    assert (found.retention.activities_days, found.retention.gone_days) == (760, 90)
    assert connection.name == "hubspot"
    assert list(connection.facts["company"].columns.items()) == [("company", "name"), ("contact", "company")]
    assert connection.facts["email"].columns == {"contact": "email"}
    assert connection.facts["hand_off"].values == {"OPEN": "accepted", "BAD_TIMING": "recycled"}
    assert connection.activities["email_clicked"].from_ == "email_events"
    assert connection.activities["email_clicked"].type == ("CLICK",)
    assert connection.activities["call_received"].where == {"direction": ("INBOUND",)}
    assert connection.write.guard.changed_percent == 20
    assert connection.write.refresh_after_days == 30
    assert connection.write.fields["b2b"].prefix == "leadmark_"
    assert found.models["b2b"].engagement["conversion"].rules["demo"].points == Decimal(40)
    assert found.model_texts == {"b2b": (folder / "models/b2b.yaml").read_text(encoding="utf-8")}
    assert found.tables.lists == {"targets": frozenset({"acme.example"})}
    assert "gmail.com" in found.tables.free_domains


def test_a_bare_number_is_the_text_as_typed_where_text_is_wanted(folder):
    connection = loaded(folder).connections[0]
    assert connection.portal.id == "4242"
    assert connection.activities["form_submitted"].forms == ("demo-request", "0123")
    assert connection.activities["list_joined"].lists == ("101",)


def test_a_decimal_keeps_its_zeros_where_text_is_wanted(folder):
    path = folder / "models/b2b.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("label: Called us", "label: 2.50"), encoding="utf-8")
    assert loaded(folder).models["b2b"].engagement["conversion"].rules["call"].label == "2.50"


def test_norway_is_a_country(folder):
    model = loaded(folder).models["b2b"]
    assert model.fit.adjust["abroad"].if_.raw == {"country": {"not_in": ["NO", "SE"]}}


def test_no_secret_is_needed(folder, monkeypatch):
    monkeypatch.delenv("HS_TOKEN", raising=False)
    assert loaded(folder).connections[0].login.service_key == "env:HS_TOKEN"


@pytest.mark.parametrize(
    ("store", "kept"),
    [
        ("env:LEADMARK_STORE", True),
        ("file:/run/secrets/store", True),
        ("postgresql://db.example/leadmark", True),
        ("/var/lib/leadmark", True),
        ("here", False),
    ],
)
def test_only_a_relative_store_is_taken_from_the_folder(folder, store, kept):
    path = folder / "leadmark.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("../store", store), encoding="utf-8")
    assert loaded(folder).store == (store if kept else str(folder / store))


# What lies in the folder.


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("notes.md", "notes.md:1:1: warning: this is not read by this version"),
        ("leadmrk.yaml", 'leadmrk.yaml:1:1: warning: this is not read by this version, did you mean "leadmark.yaml"?'),
        ("model/b2b.yaml", 'model:1:1: warning: this is not read by this version, did you mean "models"?'),
        ("reports/jane.yaml", "reports:1:1: warning: this is not read by this version"),
        ("models/b2c.yml", "models/b2c.yml:1:1: warning: this is not read; files here end in .yaml"),
        ("lists/own.csv", "lists/own.csv:1:1: warning: this is not read; files here end in .txt"),
        ("lists/empty.txt", "lists/empty.txt:1:1: warning: this list has no entry, so nothing is ever in it"),
    ],
)
def test_what_is_not_read_is_told_and_hinders_nothing(folder, path, problem):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("", encoding="utf-8")
    assert messages(folder) == [problem]
    loaded(folder)


def test_a_list_entry_with_a_hash_in_it_is_warned_of(folder):
    (folder / "lists" / "own.txt").write_text("# ours\na.example  # a#b\n  b.example#ours\nc.example\t# c\n")
    warned = "this # is part of the entry, as no space stands before it; put one there if a remark begins here"
    assert messages(folder) == [f"lists/own.txt:3:12: warning: {warned}"]
    loaded(folder)


@pytest.mark.parametrize("path", [".gitignore", "README.md", ".schemas/x.json", "models/.b2b.yaml.swp"])
def test_hidden_files_and_readmes_are_nobodys_business(folder, path):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("", encoding="utf-8")
    assert messages(folder) == []


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("leadmark.yaml", "leadmark.yaml:1:1: the file is missing"),
        ("connections", "connections:1:1: there is no connection"),
        ("connections/hubspot.yaml", "connections:1:1: there is no connection"),
        ("models/b2b.yaml", "models:1:1: there is no model"),
    ],
)
def test_a_missing_part_is_an_error(folder, gone, words):
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert load(folder)[0] is None
    assert any(message.startswith(words) for message in messages(folder))


def test_a_missing_folder_is_an_error(tmp_path):
    found, problems = load(tmp_path / "nowhere")
    assert found is None
    assert "no such folder" in problems[0].message


def test_a_file_that_is_no_text_is_shown_at_the_first_wrong_byte(folder):
    (folder / "models/b2b.yaml").write_bytes("model: b2b\nlabel: Büro\n".encode("latin-1"))
    assert messages(folder) == ["models/b2b.yaml:2:9: this character is not UTF-8; save the file as UTF-8"]


def test_a_byte_order_mark_is_no_mistake(folder):
    path = folder / "leadmark.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    loaded(folder)


def test_a_file_of_many_megabytes_is_not_read(folder):
    (folder / "models/b2b.yaml").write_text("#" * 2_000_001, encoding="utf-8")
    assert messages(folder) == ["models/b2b.yaml:1:1: the file is larger than 2 MB; is it the right one?"]


@pytest.mark.parametrize("name", ["B2B.yaml", "b2b eu.yaml", "2b.yaml"])
def test_a_name_that_cannot_be_a_key_is_an_error(folder, name):
    (folder / "models" / name).write_text("model: x\n", encoding="utf-8")
    assert messages(folder)[0].startswith(f"models/{name}:1:1: a file's name begins with a small letter")


def test_an_unreadable_connection_is_no_reason_to_blame_the_model(folder):
    (folder / "connections/hubspot.yaml").write_text("crm: {", encoding="utf-8")
    assert [message.split(":")[0] for message in messages(folder)] == ["connections/hubspot.yaml"]


def test_a_decay_longer_than_the_retention_is_a_warning(folder):
    path = folder / "leadmark.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("760d", "30d"), encoding="utf-8")
    (message,) = messages(folder)
    assert message.startswith('models/b2b.yaml:4:27: warning: decay "hand_raise" is longer than activities are kept')
    loaded(folder)


def with_more(folder, more):
    path = folder / "models/b2b.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}{more}\n", encoding="utf-8")
    return messages(folder)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "patterns: {p: {all: [{at_most: 0, rule: demo, within: 761d}], points: 1, label: P}}",
            "b2b.yaml:33:55: warning: this window is longer than activities are kept (retention: activities: 760d)",
        ),
        (
            "silence: {after: 9d, take: 1, every: 9d, at_most: 9, ignore: [email_clicked, list_joind]}",
            'b2b.yaml:33:78: warning: no connection delivers the activity "list_joind" to ignore, did you mean',
        ),
        (
            "bots: {clicks_closer_than: 2s, after_delivery: 5s}",
            'b2b.yaml:33:32: warning: neither "email_delivered" nor "email_sent" is delivered with an attribute "mail"',
        ),
        (
            "  recycle: {keep_at_most: 17}",  # 40 of fit 100 and 10.2
            "b2b.yaml:33:27: warning: with fit 100 the 17 points kept qualify again at once",
        ),
    ],
)
def test_what_works_but_hardly_as_meant_is_a_warning(folder, more, words):
    (message,) = with_more(folder, more)
    assert words in message


@pytest.mark.parametrize("more", ["  recycle: {keep_at_most: 15}", "bots: {clicks_closer_than: 2s}"])
def test_what_works_as_meant_is_none(folder, more):
    assert not with_more(folder, more)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "email_clicked: {from: email_events, type: CLICK, keep: {link: url}}",
            '"email_clicked" keeps no attribute "mail"',
        ),
        ("", 'no connection delivers "email_clicked"'),
    ],
)
def test_a_stream_that_shows_no_bot_is_a_warning(folder, kind, words):
    path = folder / "connections/hubspot.yaml"
    text = path.read_text(encoding="utf-8")
    line = "email_clicked: {from: email_events, type: CLICK, keep: {mail: campaign}}"
    assert line in text
    path.write_text(text.replace(f"  {line}\n", f"  {kind}\n" if kind else ""), encoding="utf-8")
    found = with_more(folder, "bots: {clicks_closer_than: 2s}")
    assert [words in one for one in found if "to be a bot's" in one] == [True]


def test_a_hole_between_bands_is_a_warning(folder):
    path = folder / "models/b2b.yaml"
    text = path.read_text(encoding="utf-8")
    assert "50+" in text
    path.write_text(text.replace("50+", "60+"), encoding="utf-8")
    (message,) = messages(folder)
    assert ": warning: values between " in message
    assert 'and "60+" are in no band and get nothing' in message
    loaded(folder)


def test_two_connections_may_not_deliver_one_kind(folder):
    text = (folder / "connections/hubspot.yaml").read_text(encoding="utf-8")
    (folder / "connections/second.yaml").write_text(text, encoding="utf-8")
    found = [message for message in messages(folder) if "already comes from connections/hubspot.yaml" in message]
    assert len(found) == 5
    assert found[0].startswith("connections/second.yaml:15:3: ")


def test_two_models_may_not_write_one_field(folder):
    text = (folder / "models/b2b.yaml").read_text(encoding="utf-8")
    (folder / "models/smb.yaml").write_text(text.replace("model: b2b", "model: smb"), encoding="utf-8")
    path = folder / "connections/hubspot.yaml"
    written = path.read_text(encoding="utf-8") + "    smb: {outputs: [score]}\n"
    path.write_text(written, encoding="utf-8")
    (message,) = messages(folder)
    assert message.startswith(
        'connections/hubspot.yaml:31:21: field "leadmark_score" is already written by model "b2b"'
    )
    path.write_text(written.replace("smb: {", "smb: {prefix: smb_, "), encoding="utf-8")
    loaded(folder)


# Overlays.


@pytest.fixture
def overlay(folder):
    (folder / "overlays").mkdir()
    return folder / "overlays" / "staging.yaml"


def test_an_overlay_lies_over_the_files(folder, overlay):
    overlay.write_text(
        "leadmark: {store: /data}\nconnections/hubspot: {write: {mode: live, guard: {new_mql: 5}}}\n", encoding="utf-8"
    )
    found = loaded(folder, overlay)
    assert found.store == "/data"
    assert found.time_zone == "Europe/Berlin"
    assert found.connections[0].write.mode == "live"
    assert found.connections[0].write.guard.new_mql == 5
    assert found.connections[0].write.guard.changed == "20%"
    assert loaded(folder).connections[0].write.mode == "shadow", "unless it is asked for"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("leadmark:\n  stor: x\n", 'overlays/staging.yaml:2:3: unknown key "stor", did you mean "store"?'),
        ("leadmark:\n  time_zone: Mars\n", 'overlays/staging.yaml:2:14: unknown time zone "Mars"'),
        (
            "connections/hubspt: {}\n",
            'overlays/staging.yaml:1:1: there is no file "connections/hubspt" to overlay, did you mean',
        ),
        ("models/b2b: {model: x}\n", 'overlays/staging.yaml:1:1: there is no file "models/b2b" to overlay'),
        ("titles: {seniority: []}\n", 'overlays/staging.yaml:1:1: there is no file "titles" to overlay'),
        ("leadmark: 5\n", "overlays/staging.yaml:1:11: keys with values are laid over a file"),
        ("- leadmark\n", "overlays/staging.yaml:1:1: an overlay holds files' names"),
        ("leadmark: {\n", "overlays/staging.yaml:2:1: not readable as YAML"),
    ],
)
def test_a_mistake_in_an_overlay_is_shown_there(folder, overlay, text, problem):
    (folder / "titles.yaml").write_text("seniority:\n  - partner: [partner]\n", encoding="utf-8")
    overlay.write_text(text, encoding="utf-8")
    assert load(folder, overlay)[0] is None
    assert messages(folder, overlay)[0].startswith(problem)


def test_a_mistake_beside_what_an_overlay_replaces_is_shown_in_its_own_file(folder, overlay):
    path = folder / "leadmark.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("gone: 90d", "gone: x"), encoding="utf-8")
    overlay.write_text("leadmark: {retention: {activities: 30d}}\n", encoding="utf-8")
    assert messages(folder, overlay)[0].startswith("leadmark.yaml:4:37: ")


def test_a_missing_overlay_is_an_error(folder, tmp_path):
    found, problems = load(folder, tmp_path / "nowhere.yaml")
    assert found is None
    assert str(problems[0]) == "nowhere.yaml:1:1: cannot be read (No such file or directory); check path and rights"


# Laws.

KINDS = {
    "good/connections/hubspot.yaml": HubSpotConnection,
    "good/models/b2b.yaml": ScoringModel,
    "both/leadmark.yaml": Installation,
    "both/connections/salesforce.yaml": SalesforceConnection,
}
TREES = {path: read(path, (GOOD.parent / path).read_text(encoding="utf-8"))[0].value for path in KINDS}
anything = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "env:X", "30d", [], ["x"], [1], [[]], [{}], {}, {"x": 1}, {"x": {}}, {"x": []}]
)


def ways(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (key,)
            yield from ((key, *way) for way in ways(value))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield (index,)
            yield from ((index, *way) for way in ways(value))


def put(tree, way, value):
    tree = copy.deepcopy(tree)
    inner = tree
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return tree


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_any_value_in_any_place_is_taken_or_explained(tmp_path_factory, data):
    """Never a crash; None of the settings exactly when an error stands; every error has an admin's words."""
    path = data.draw(st.sampled_from(sorted(KINDS)))
    way = data.draw(st.sampled_from(list(ways(TREES[path]))))
    tree = put(TREES[path], way, data.draw(anything))
    which, _, file = path.partition("/")
    folder = Path(shutil.copytree(GOOD.with_name(which), tmp_path_factory.mktemp("law") / "config"))
    (folder / file).write_text(yaml.safe_dump(tree), encoding="utf-8")
    found, problems = load(folder)
    assert (found is None) == any(problem.severity == "error" for problem in problems)
    for problem in problems:
        assert "Input should" not in problem.message
        assert problem.line >= 1


@given(data=st.data())
def test_any_list_of_ways_is_placed_somewhere(data):
    """A finding at any way is shown in the file, at the innermost node that exists."""
    path = data.draw(st.sampled_from(sorted(KINDS)))
    document, _ = read(path, (GOOD.parent / path).read_text(encoding="utf-8"))
    way = data.draw(st.sampled_from(list(ways(TREES[path]))))
    spot = document.key((*way, "no such key", "[key]"))
    assert spot == document.key(way)
    assert validate(document, KINDS[path], {"name": "x"} if "connections" in path else None)[1] == []
