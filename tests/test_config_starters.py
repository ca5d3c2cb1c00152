"""A starter loads as it is written, changes nothing that stands, and fits the emulator."""

import re
from pathlib import Path

import pytest

from config import starters
from config.loader import load
from connectors.emulator.hubspot.definitions import portal_definitions
from connectors.emulator.hubspot.world import FORMS, LISTS
from connectors.emulator.salesforce.objects import org_objects

SHIPPED = Path(starters.__file__).parent
FILES = sorted(SHIPPED.rglob("*.yaml"))
CHOICES = [("hubspot",), ("salesforce",), ("hubspot", "salesforce")]
#: how SOQL names the object a relation of a person's field leads to
RELATIONS = {"Account": "Account", "Owner": "User", "Individual": "Individual"}


@pytest.fixture(params=[(name, crm) for name in starters.names() for crm in CHOICES], ids=str)
def written(request, tmp_path):
    """A starter's folder, for each choice of CRMs."""
    name, crm = request.param
    folder = tmp_path / "config"
    starters.write(name, folder, crm)
    assert {path.stem for path in (folder / "connections").iterdir()} == set(crm)
    return folder


def settings_of(folder):
    found, problems = load(folder)
    assert not problems
    assert found is not None
    return found


def test_a_starter_loads_without_a_problem(written):
    assert settings_of(written).models


def test_a_starter_writes_nothing_to_a_crm(written):
    assert {connection.write.mode for connection in settings_of(written).connections} == {"shadow"}


def test_a_starter_names_every_file_it_wrote(tmp_path):
    files = starters.write("b2b-saas", tmp_path, ("hubspot", "salesforce"))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files) == [
        ".schemas/connection.schema.json",
        ".schemas/golden.schema.json",
        ".schemas/leadmark.schema.json",
        ".schemas/model.schema.json",
        "connections/hubspot.yaml",
        "connections/salesforce.yaml",
        "leadmark.yaml",
        "lists/competitors.txt",
        "lists/target_accounts.txt",
        "models/b2b.yaml",
    ]
    assert all(path.is_file() for path in files)


def test_a_schema_is_where_the_first_line_of_a_file_says(written):
    for path in written.rglob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert (path.parent / first.split("$schema=")[1]).is_file()


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


@pytest.mark.parametrize("crm", CHOICES, ids=str)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_number_of_a_starter_has_a_reason_beside_it(path, crm):
    """On the line, or in the remark right above the key it stands in or under."""
    remark_at: int | None = None  # how far the remark is indented that covers this line
    key_seen = False
    text = starters.composed(path.read_text(encoding="utf-8"), crm)
    for number, line in enumerate(text.splitlines(), 1):
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


def test_the_starter_finds_all_it_reads_in_the_emulated_portal(tmp_path):
    starters.write("b2b-saas", tmp_path)
    (connection,) = settings_of(tmp_path).connections
    portal = portal_definitions()
    fields = {"contact": portal["contacts"], "company": portal["companies"], "owner": {"email": None}}
    for source in connection.facts.values():
        assert all(field in fields[object_] for object_, field in source.columns.items())
    for source in connection.activities.values():
        assert set(source.forms) <= {*FORMS, *FORMS.values()}
        assert set(source.lists) <= set(LISTS.values())
        assert source.from_ != "date_property" or source.property in portal["contacts"]
    fields = connection.write.fields["b2b"]
    assert all(fields.prefix + output in portal["contacts"] for output in fields.outputs)


def test_the_starter_finds_all_it_reads_in_the_emulated_org(tmp_path):
    starters.write("b2b-saas", tmp_path, ("salesforce",))
    (connection,) = settings_of(tmp_path).connections
    org = {name: object_.fields for name, object_ in org_objects().items()}
    persons = {"lead": "Lead", "contact": "Contact"}
    for source in connection.facts.values():
        for object_, path in source.columns.items():
            relation, _, field = path.rpartition(".")
            assert field in org[RELATIONS[relation] if relation else persons[object_]], path
    for source in connection.activities.values():
        if source.from_ == "date_field":
            assert all(source.field in org[name] for name in persons.values())
        else:
            kept = [path for path in source.keep.values() if path != "Campaign"]
            for path in (*source.where, *kept):
                relation, _, field = path.rpartition(".")
                assert field in org[relation or source.from_], path
    fields = connection.write.fields["b2b"]
    assert all(fields.field(output) in org[name] for output in fields.outputs for name in persons.values())


def test_both_crms_speak_of_industries_in_the_models_words(tmp_path):
    """What the org's picklist offers is mapped, so that `other` holds for what is not named in the model."""
    starters.write("b2b-saas", tmp_path, ("hubspot", "salesforce"))
    settings = settings_of(tmp_path)
    values = next(one for one in settings.connections if one.name == "salesforce").facts["industry"].values
    assert set(org_objects()["Lead"].fields["Industry"].values) <= set(values)
    percent = settings.models["b2b"].fit.variables["industry"].percent
    named = set(portal_definitions()["companies"]["industry"].options)
    assert {word for word in values.values() if word != "OTHER"} <= named
    assert percent


def test_sales_word_covers_the_orgs_statuses(tmp_path):
    starters.write("b2b-saas", tmp_path, ("salesforce",))
    (connection,) = settings_of(tmp_path).connections
    org = org_objects()
    statuses = {*org["Lead"].fields["Status"].values, *org["Contact"].fields["Sales_Status__c"].values}
    assert statuses <= set(connection.facts["hand_off"].values)


# Marks


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_line_is_for_some_choice_and_no_mark_is_left(path):
    text = path.read_text(encoding="utf-8")
    files = [starters.composed(text, crm).splitlines() for crm in CHOICES]
    kept = {line for file in files for line in file}
    assert {line for line in text.splitlines() if line not in kept} == {
        line for line in text.splitlines() if re.fullmatch(r" *# \[[a-z, ]+\]", line)
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
        ("# see [hubspot]\na: 1\n", "salesforce", "# see [hubspot]\na: 1\n", "a remark is no mark"),
    ],
)
def test_a_mark_takes_the_next_key_with_its_remarks_and_what_is_under_it(text, crm, left, remark):
    assert starters.composed(text, (crm,)) == left, remark
