"""Schemas fit the code."""

from pathlib import Path

import jsonschema
import pytest

from config.schemas import SCHEMAS, schema, text

CONFIG = Path(__file__).parents[1] / "config"

SALESFORCE = {
    "crm": "salesforce",
    "org": {"url": "env:SF_URL", "id": "env:SF_ORG_ID", "production": True},
    "login": {"flow": "client_credentials", "client_id": "env:SF_ID", "client_secret": "env:SF_SECRET"},
    "facts": {"email": "Email", "company": {"lead": "Company", "contact": "Account.Name"}},
    "write": {"fields": {"b2b": {"outputs": ["score"]}}},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_written_schema_is_in_step_with_the_code(name):
    assert (CONFIG / name).read_text(encoding="utf-8") == text(SCHEMAS[name]), "run `make docs`"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_schema(name):
    jsonschema.Draft202012Validator.check_schema(schema(SCHEMAS[name]))


@pytest.mark.parametrize(
    ("name", "wrong", "remark"),
    [
        ("leadmark.schema.json", {"store": "x", "time_zone": "UTC", "primary": "b2b", "zone": 1}, "an unknown key"),
        ("leadmark.schema.json", {"store": "x", "time_zone": "UTC"}, "a missing key"),
        ("connection.schema.json", {"crm": "dynamics"}, "another CRM"),
        ("connection.schema.json", {"facts": {}}, "no CRM"),
        ("connection.schema.json", {**SALESFORCE, "portal": {"id": 1, "production": True}}, "a key of the other CRM"),
        ("connection.schema.json", {**SALESFORCE, "facts": {"title": {"company": "Name"}}}, "the other's object"),
        ("connection.schema.json", {**SALESFORCE, "duplicates": "some"}, "no such choice"),
        ("model.schema.json", {"model": "b2b", "weights": {"fit": "forty", "engagement": 60}}, "a wrong kind"),
        ("golden.schema.json", {"jo": {"on": "2026-11-22", "expects": {"score": 1}}}, "an unknown key of a case"),
        ("golden.schema.json", {"jo": {"on": "2026-11-22"}}, "a case without what is expected"),
    ],
)
def test_a_schema_refuses_what_the_loader_refuses(name, wrong, remark):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema(SCHEMAS[name])).validate(wrong)


def test_a_bare_number_stands_where_text_is_wanted():
    validator = jsonschema.Draft202012Validator(schema(SCHEMAS["connection.schema.json"]))
    file = {"crm": "hubspot", "portal": {"id": 123, "production": True}, "url": True}
    wrong = [error.json_path for error in validator.iter_errors(file)]
    assert "$.url" in wrong
    assert "$.portal.id" not in wrong


def test_what_stands_in_a_salesforce_file_fits():
    jsonschema.Draft202012Validator(schema(SCHEMAS["connection.schema.json"])).validate(SALESFORCE)


def test_parts_of_both_crms_with_one_name_are_the_same():
    """The schema keeps one definition a name."""
    one, other = (kind.model_json_schema(by_alias=True)["$defs"] for kind in SCHEMAS["connection.schema.json"])
    shared = one.keys() & other.keys()
    assert shared >= {"Calls", "Guard", "Canary"}
    assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


def test_a_files_name_is_no_key_of_it():
    assert '"name"' not in text(SCHEMAS["connection.schema.json"])
