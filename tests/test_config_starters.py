"""A starter loads as it is written, changes nothing that stands, and fits the emulator."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import select

from config import starters
from config.loader import load
from config.reading import read
from connectors.emulator.clock import to_ms
from connectors.emulator.hubspot.definitions import portal_definitions
from connectors.emulator.hubspot.world import FORMS, LISTS
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.objects import org_objects
from connectors.emulator.salesforce.people import make_org
from connectors.emulator.server import Emulator
from sync.answers.explain import all_explained, scoring_of
from sync.answers.golden import run_cases
from sync.app import Quiet, open_runtime
from sync.run import run_pass
from sync.runtime import Options
from sync.store import tables

SHIPPED = Path(starters.__file__).parent
FILES = sorted(SHIPPED.rglob("*.yaml"))
CRMS = [("hubspot",), ("salesforce",), ("hubspot", "salesforce")]
CHOICES = list(product(starters.names(), CRMS))
#: forms and lists that a starter asks an admin to make, and that the emulated portal has not
OWN = {"request-for-proposal", "Visited case studies", "Attended an event"}
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY_AGO = to_ms(NOW - timedelta(days=1))
SECRETS = {"HS_TOKEN": "pat-emulator", "SF_CLIENT_ID": "emulator-client", "SF_CLIENT_SECRET": "emulator-secret"}
#: how SOQL names the object a relation of a person's field leads to
RELATIONS = {"Account": "Account", "Owner": "User", "Individual": "Individual"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A starter's folder for CRMs, and what it says; written once, and left as it is."""

    @cache
    def made(name, crm=("hubspot",)):
        folder = tmp_path_factory.mktemp("starter") / "config"
        starters.write(name, folder, crm)
        settings, problems = load(folder)
        assert not problems
        assert settings is not None
        return folder, settings

    return made


@pytest.fixture(params=CHOICES, ids=str)
def chosen(request, made):
    """The folder and its settings, for each starter and choice of CRMs."""
    folder, settings = made(*request.param)
    assert {path.stem for path in (folder / "connections").iterdir()} == set(request.param[1])
    return folder, settings


@pytest.fixture
def written(chosen):
    return chosen[0]


@pytest.fixture
def settings(chosen):
    return chosen[1]


def test_a_starter_loads_without_a_problem(settings):
    assert settings.models


def test_a_starter_writes_nothing_to_a_crm(settings):
    assert {connection.write.mode for connection in settings.connections} == {"shadow"}


def test_every_file_fits_the_schema_its_first_line_names(written):
    for path in written.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        schema = json.loads((path.parent / named).read_text(encoding="utf-8"))
        document, problems = read(path.name, text)
        assert not problems
        jsonschema.Draft202012Validator(schema).validate(document.value)


def test_a_starter_names_every_file_it_wrote(tmp_path):
    files = starters.write("b2b-saas", tmp_path, ("hubspot", "salesforce"))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files) == [
        ".schemas/approvals.schema.json",
        ".schemas/connection.schema.json",
        ".schemas/golden.schema.json",
        ".schemas/leadmark.schema.json",
        ".schemas/model.schema.json",
        "connections/hubspot.yaml",
        "connections/salesforce.yaml",
        "golden/b2b.yaml",
        "leadmark.yaml",
        "lists/competitors.txt",
        "lists/target_accounts.txt",
        "models/b2b.yaml",
    ]
    assert all(path.is_file() for path in files)


def test_what_is_written_speaks_of_its_own_model_only(written, settings):
    """Nothing is left of other starters: no MODEL, and the model named in every file is the one that is there."""
    (model,) = (path.stem for path in (written / "models").iterdir())
    assert settings.primary == model
    assert {case.model or settings.primary for case in settings.golden.values()} <= {model}
    assert all(set(one.write.fields) == {model} for one in settings.connections)
    assert not [path for path in written.rglob("*.yaml") if "MODEL" in path.read_text(encoding="utf-8")]


def test_a_starter_overwrites_nothing(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b2b.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(starters.StarterError, match=r"b2b\.yaml already exists; nothing was written"):
        starters.write("b2b-saas", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["models", "b2b.yaml"]
    assert (tmp_path / "models" / "b2b.yaml").read_text(encoding="utf-8") == "mine"


def test_an_unknown_starter_is_told_with_the_nearest(tmp_path):
    with pytest.raises(starters.StarterError, match='did you mean "b2b-saas"'):
        starters.write("b2b-sas", tmp_path / "config")
    assert not (tmp_path / "config").exists()


def test_a_crm_this_release_does_not_read_is_told(tmp_path):
    with pytest.raises(starters.StarterError, match="not supported in this version"):
        starters.write("b2b-saas", tmp_path / "config", ("hubspot", "dynamics"))
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("folder", ["", "connections", "models"])
def test_every_number_of_a_starter_has_a_reason_beside_it(written, folder):
    for path in (written / folder).glob("*.yaml"):
        reasoned(path)


def reasoned(path):
    """Each number has a remark on its line, or right above the key it stands in or under."""
    remark_at: int | None = None  # how far the remark is indented that covers this line
    key_seen = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("#"):
            remark_at, key_seen = indent, False
            continue
        code, _, remark = line.partition(" #")
        if remark_at is not None and key_seen and indent <= remark_at:
            remark_at = None
        key_seen = True
        plain = re.sub(r"2026-09|\w*b2b\w*|HS_\w+", "", code)
        if re.search(r"\d", plain):
            assert remark or remark_at is not None, f"{path.name}:{number}: {line}"


@pytest.mark.parametrize("name", starters.names())
def test_a_starter_finds_all_it_reads_in_the_emulated_portal(made, name):
    (connection,) = made(name)[1].connections
    portal = portal_definitions()
    fields = {"contact": portal["contacts"], "company": portal["companies"], "owner": {"email": None}}
    for source in connection.facts.values():
        assert source.optional or all(field in fields[object_] for object_, field in source.columns.items())
    for source in connection.activities.values():
        assert set(source.forms) <= {*FORMS, *OWN}
        assert set(source.lists) <= {*LISTS.values(), *OWN}
        assert source.from_ != "date_property" or source.property in portal["contacts"]
    (fields,) = connection.write.fields.values()
    assert all(fields.prefix + output in portal["contacts"] for output in fields.outputs)


@pytest.mark.parametrize("name", starters.names())
def test_a_starter_finds_all_it_reads_in_the_emulated_org(made, name):
    (connection,) = made(name, ("salesforce",))[1].connections
    org = {name: object_.fields for name, object_ in org_objects().items()}
    persons = {"lead": "Lead", "contact": "Contact"}
    for source in connection.facts.values():
        for object_, path in source.columns.items():
            relation, _, field = path.rpartition(".")
            assert source.optional or field in org[RELATIONS[relation] if relation else persons[object_]], path
    for source in connection.activities.values():
        if source.from_ == "date_field":
            assert all(source.field in org[name] for name in persons.values())
        else:
            kept = [path for path in source.keep.values() if path != "Campaign"]
            for path in (*source.where, *kept):
                relation, _, field = path.rpartition(".")
                assert field in org[relation or source.from_], path
    (fields,) = connection.write.fields.values()
    assert all(fields.field(output) in org[name] for output in fields.outputs for name in persons.values())


@pytest.mark.parametrize("name", ["b2b-saas", "services"])
def test_both_crms_speak_of_industries_in_the_models_words(made, name):
    """What the org's picklist offers is mapped, so that `other` holds for what is not named in the model."""
    settings, alone = (made(name, crm)[1] for crm in (("hubspot", "salesforce"), ("salesforce",)))
    values = next(one for one in settings.connections if one.name == "salesforce").facts["industry"].values
    assert set(org_objects()["Lead"].fields["Industry"].values) <= set(values)
    named = set(portal_definitions()["companies"]["industry"].options)
    assert {word for word in values.values() if word != "OTHER"} <= named
    both, one = (each.models[each.primary].fit.variables["industry"].percent for each in (settings, alone))
    for industry, word in values.items():
        assert both.band(word, 0)[1] == one.band(industry, 0)[1], industry


def test_sales_word_covers_the_orgs_statuses(made):
    (connection,) = made("b2b-saas", ("salesforce",))[1].connections
    org = org_objects()
    statuses = {*org["Lead"].fields["Status"].values, *org["Contact"].fields["Sales_Status__c"].values}
    assert statuses <= set(connection.facts["hand_off"].values)


# What the starters say of people


def test_every_golden_case_passes(settings):
    tested = run_cases(settings, settings.golden)
    assert len(tested) >= (8 if settings.primary == "b2b" else 6)
    assert not [(one.name, miss) for one in tested for miss in one.misses]


@pytest.mark.parametrize(("name", "crm"), [choice for choice in CHOICES if len(choice[1]) == 1], ids=str)
def test_a_pass_over_emulated_people_tells_them_apart(tmp_path, monkeypatch, name, crm):
    """Nothing parks; all grades, an MQL and a suspect; most people are no MQLs."""
    starters.write(name, tmp_path / "config", crm)
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)
    world, org = asking(crm)
    with Emulator.start(world, org=org) as emulator:
        overlay = tmp_path / "overlay.yaml"
        overlay.write_text(json.dumps(places(emulator, crm)))
        settings, _ = load(tmp_path / "config", overlay)
        assert settings is not None
        with open_runtime(settings, progress=Quiet(), now=lambda: NOW) as runtime:
            report = run_pass(runtime, Options())
            assert {one.state for one in report.connections.values()} == {"shadow"}
            with runtime.store.begin() as tx:
                people = [person for (person,) in tx.execute(select(tables.record.c.person).distinct()) if person]
                told = [one.to_json()["outputs"] for one in all_explained(tx, people, scoring_of(tx, settings, NOW))]
    scored = [outputs for outputs in told if outputs.get("score") is not None]
    assert {"A", "B", "C", "D", "F"} <= {outputs["grade"] for outputs in scored}
    statuses = Counter(outputs["mql_status"] for outputs in scored)
    assert min(statuses["MQL"], statuses["Suspect"], statuses["Prospect"], statuses["Disqualified"]) >= 1
    assert statuses["MQL"] < len(scored) / 4
    assert 0 < len(told) - len(scored) < len(told) / 4, "customers are outside the audience"


def asking(crm):
    """Emulated people, some of whom ask for a proposal, read case studies and come to an event."""
    world = make_world(90, 7, now=NOW)
    world.limits.on = False
    world.forms.names["request-for-proposal"] = "Request for proposal"
    world.lists.add(201, "Visited case studies")
    world.lists.add(202, "Attended an event")
    for place, row in enumerate(list(world.tables["contacts"].live())[:40]):
        if email := row.now.properties.get("email"):
            world.forms.submit("request-for-proposal" if place % 4 == 0 else "contact-us", {"email": email}, DAY_AGO)
            world.lists.join(201 if place % 2 else 202, row.id, DAY_AGO)
    org = make_org(None, 90, 7, now=NOW) if "salesforce" in crm else None
    return world, org


def places(emulator, crm):
    """The overlay that points the connections to the emulator."""
    portal = {"url": emulator.url, "portal": {"id": str(emulator.world.portal_id), "production": False}}
    org = {"org": {"url": emulator.url, "id": emulator.org.org_id, "production": False}} if emulator.org else {}
    return {f"connections/{one}": portal if one == "hubspot" else org for one in crm}


# Marks


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SHIPPED).as_posix())
def test_every_line_is_for_some_choice_and_no_mark_is_left(path):
    text = path.read_text(encoding="utf-8")
    files = [starters.composed(text, {name, *crms}).splitlines() for name, crms in CHOICES]
    kept = {line for file in files for line in file}
    assert {line for line in text.splitlines() if line not in kept} == {
        line for line in text.splitlines() if re.fullmatch(r" *# \[[a-z0-9, -]+\]", line)
    }


@pytest.mark.parametrize(
    ("text", "crm", "left", "remark"),
    [
        ("# [hubspot]\na: 1\nb: 2\n", "salesforce", "b: 2\n", "a key"),
        ("# [hubspot]\n# why\na:\n  c: 1\n\n  # d\nb: 2\n", "salesforce", "\n  # d\nb: 2\n", "an empty line ends it"),
        ("x:\n  # [hubspot]\n  # why\n  a:\n    # inside\n    c: 1\n  b: 2\n", "salesforce", "x:\n  b: 2\n", "below"),
        ("x:\n  # [hubspot]\n  a: 1\ny: 2\n", "salesforce", "x:\ny: 2\n", "the last one of its mapping"),
        ("# [hubspot]\na: 1\n# [hubspot]\nb: 2\nc: 3\n", "salesforce", "c: 3\n", "two in a row"),
        ("# [hubspot]\na: 1\n# [salesforce]\nb: 2\n", "salesforce", "b: 2\n", "one after the other"),
        ("# [hubspot]\na:\n  # [salesforce]\n  b: 2\n  c: 3\n", "hubspot", "a:\n  c: 3\n", "one in the other"),
        ("# [hubspot, salesforce]\na: 1\n", "hubspot", "", "both are needed"),
        ("# [not salesforce]\na: 1\n", "hubspot", "a: 1\n", "not"),
        ("x:\n  # [hubspot]\n  - 1\n  - 2\n", "salesforce", "x:\n  - 2\n", "an entry of a list"),
        ("# [b2b-saas, not hubspot]\na: 1\nb: 2\n", "salesforce", "b: 2\n", "another starter"),
        ("# see [hubspot]\na: 1\n", "salesforce", "# see [hubspot]\na: 1\n", "a remark is no mark"),
    ],
)
def test_a_mark_takes_the_next_key_with_its_remarks_and_what_is_under_it(text, crm, left, remark):
    assert starters.composed(text, (crm,)) == left, remark
