"""A starter loads as it is written, changes nothing that stands, and fits the emulator."""

import re
from pathlib import Path

import pytest

from config import starters
from config.loader import load
from connectors.emulator.hubspot.definitions import portal_definitions
from connectors.emulator.hubspot.world import FORMS, LISTS

SHIPPED = Path(starters.__file__).parent
FILES = sorted(SHIPPED.rglob("*.yaml"))


@pytest.fixture(params=starters.names())
def written(request, tmp_path):
    folder = tmp_path / "config"
    starters.write(request.param, folder)
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
    files = starters.write("b2b-saas", tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files) == [
        ".schemas/connection.schema.json",
        ".schemas/leadmark.schema.json",
        ".schemas/model.schema.json",
        "connections/hubspot.yaml",
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
        starters.write("b2b-saas", tmp_path / "config", ("hubspot", "salesforce"))
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_number_of_a_starter_has_a_reason_beside_it(path):
    """On the line, or in the remark right above the key it stands in or under."""
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


def test_the_starter_finds_all_it_reads_in_the_emulator(written):
    connection = settings_of(written).connections[0]
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
