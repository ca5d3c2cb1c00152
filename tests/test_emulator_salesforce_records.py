"""Writes through the API: what is taken, what is refused and in which words, alone and in collections."""

from datetime import UTC, datetime
from time import process_time
from typing import Any

import orjson
import pytest

from connectors.emulator.clock import EmulatorClock, to_ms
from connectors.emulator.faults import parse_record_rule
from connectors.emulator.salesforce.api import answer
from connectors.emulator.salesforce.ids import new_id
from connectors.emulator.salesforce.org import Org

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLLECTION = "composite/sobjects"


@pytest.fixture
def org() -> Org:
    return Org(EmulatorClock(NOW))


def ask(org: Org, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One call with a good token; a header's name with _ for -."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["authorization"] = f"Bearer {org.tokens.issue(org.org_id)}"
    raw = b"" if body is None else orjson.dumps(body)
    reply = answer(org, method, f"/services/data/v66.0/{path}", sent, raw)
    return reply.status, reply.body


def lead(org: Org, **values: Any) -> str:
    return org.create("Lead", {"FirstName": "Ada", "LastName": "Sands", "Company": "Acme", **values}).id


def row(id_: str, object_: str = "Lead", **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": object_}, "id": id_, **values}


def write(org: Org, *rows: dict[str, Any], all_or_none: bool = False, **headers: str) -> list[dict[str, Any]]:
    status, body = ask(org, "PATCH", COLLECTION, {"allOrNone": all_or_none, "records": list(rows)}, **headers)
    assert status == 200
    return body


def refuse(org: Org, **rule: Any) -> None:
    org.rules.rules.append(parse_record_rule({"id": "*", "action": "refuse", **rule}))


KEPT = [
    ("Leadmark_Score__c", 81.237, 81.237, "numbers are stored unrounded"),
    ("Leadmark_Score__c", 100, 100, "three digits before the point"),
    ("Leadmark_Score__c", "55.5", 55.5, "a number as text"),
    ("Leadmark_Score__c", None, None, "null empties"),
    ("Leadmark_Tier__c", "", None, "so does empty text"),
    ("Leadmark_Tier__c", 3, "3", "text of a number"),
    ("leadmark_tier__C", "A", "A", "names know no case"),
    ("Leadmark_Mql_Since__c", "2026-11-19", "2026-11-19", "a date"),
    ("Leadmark_Mql_Since__c", "2026-11-19T23:00:00Z", "2026-11-19", "the day of an instant"),
    ("Trial_Started__c", "2026-11-19T10:00:00+01:00", "2026-11-19T09:00:00.000+0000", "an instant"),
    ("DoNotCall", True, True, "a checkbox"),
    ("NumberOfEmployees", 250, 250, "a whole number"),
    ("Industry", "Beekeeping", "Beekeeping", "a picklist that is not restricted"),
    ("OwnerId", "0055g0000000003", "0055g0000000003AAA", "an id of 15 characters is kept as 18"),
]


@pytest.mark.parametrize(("name", "sent", "kept", "remark"), KEPT)
def test_values_are_kept_as_their_field_has_them(org: Org, name: str, sent: Any, kept: Any, remark: str) -> None:
    id_ = lead(org, Leadmark_Tier__c="B", Leadmark_Score__c=1)
    assert write(org, row(id_, **{name: sent}))[0]["success"], remark
    known = next(known for known in org.objects["Lead"].fields if known.casefold() == name.casefold())
    assert org.row("Lead", id_).values.get(known) == kept, remark


REFUSED = [
    ({"Nonsense__c": 1}, "INVALID_FIELD", "No such column 'Nonsense__c' on sobject of type Lead"),
    ({"Email": "a@acme.example"}, "INVALID_FIELD", "No such column 'Email'"),
    ({"Leadmark_Grade__c": "A"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Leadmark_Grade"),
    ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", "check the security settings"),
    ({"SystemModstamp": "2026-11-19T10:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "SystemModstamp"),
    ({"Leadmark_Score__c": 1000}, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range"),
    ({"Leadmark_Score__c": -1000.5}, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range"),
    ({"Leadmark_Tier__c": "x" * 256}, "STRING_TOO_LONG", "max length=255"),
    ({"Status": "Sleeping"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist"),
    ({"LastName": ""}, "REQUIRED_FIELD_MISSING", "[LastName]"),
    ({"OwnerId": "nobody"}, "MALFORMED_ID", "id value of incorrect type"),
    ({"Leadmark_Score__c": "high"}, "JSON_PARSER_ERROR", "xsd:double"),
    ({"NumberOfEmployees": 2.5}, "JSON_PARSER_ERROR", "xsd:int"),
    ({"Need_Date__c": "soon"}, "JSON_PARSER_ERROR", "xsd:date"),
    ({"Trial_Started__c": "2026-11-19"}, "JSON_PARSER_ERROR", "xsd:dateTime"),
    ({"DoNotCall": "perhaps"}, "JSON_PARSER_ERROR", "xsd:boolean"),
    ({"Leadmark_Tier__c": ["A"]}, "JSON_PARSER_ERROR", "Cannot deserialize"),
]


@pytest.mark.parametrize(("values", "code", "said"), REFUSED)
def test_a_bad_value_is_refused_alike_in_a_collection_and_alone(org: Org, values: dict, code: str, said: str) -> None:
    org.objects["Lead"].fields["Email"].readable = False
    org.objects["Lead"].fields["Leadmark_Grade__c"].editable = False
    id_, good = lead(org), lead(org)
    refused, taken = write(org, row(id_, **values), row(good, Rating="Hot"))
    assert set(refused) == {"success", "errors"}, "a failed row has no id"
    (error,) = refused["errors"]
    assert set(error) == {"statusCode", "message", "fields"}
    assert error["statusCode"] == code
    assert said in error["message"]
    assert taken == {"id": good, "success": True, "errors": []}
    status, ((alone),) = ask(org, "PATCH", f"sobjects/Lead/{id_}", values)
    assert (status, alone["errorCode"]) == (400, code)
    assert said in alone["message"]


def test_records_that_cannot_be_written_are_refused_in_their_place(org: Org) -> None:
    gone, converted, good = lead(org), lead(org), lead(org)
    org.delete("Lead", gone)
    contact = org.convert(converted)
    results = write(
        org,
        row(gone, Rating="Hot"),
        row(converted, Rating="Hot"),
        row(new_id("00Q", 999), Rating="Hot"),
        row("no id", Rating="Hot"),
        {"attributes": {"type": "Lead"}, "Rating": "Hot"},
        row(contact.id, Rating="Hot"),
        row(good[:15], Rating="Hot"),
    )
    codes = [result["errors"][0]["statusCode"] if result["errors"] else result["id"] for result in results]
    assert codes == [
        "ENTITY_IS_DELETED",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "INVALID_CROSS_REFERENCE_KEY",
        good,
    ]
    assert ask(org, "PATCH", f"sobjects/Lead/{gone}", {"Rating": "Hot"})[0] == 404
    assert ask(org, "PATCH", f"sobjects/Lead/{new_id('00Q', 999)}", {"Rating": "Hot"})[0] == 404


def test_a_write_moves_the_stamp_and_names_the_connections_user(org: Org) -> None:
    id_ = lead(org)
    org.clock.advance(30)
    write(org, row(id_, Rating="Hot"))
    written = org.row("Lead", id_)
    assert written.stamp_ms == to_ms(NOW) + 30_000
    assert written.values["LastModifiedById"] == org.user_id


def test_all_or_none_takes_the_good_rows_back(org: Org) -> None:
    good, bad = lead(org), lead(org)
    results = write(org, row(good, Rating="Hot"), row(bad, Nonsense__c=1), all_or_none=True)
    assert [result["errors"][0]["statusCode"] for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_FIELD",
    ]
    assert org.row("Lead", good).values.get("Rating") is None
    assert all(result["success"] for result in write(org, row(good, Rating="Hot"), row(bad), all_or_none=True))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": [row("x")] * 201}, "EXCEEDED_ID_LIMIT"),
        ({"records": [row("x", object_) for object_ in ("Lead", "Contact") * 6]}, "LIMIT_EXCEEDED"),
        ({"records": [{"id": "x"}]}, "INVALID_INPUT"),
        ({"records": "all"}, "JSON_PARSER_ERROR"),
        ({"records": ["x"]}, "JSON_PARSER_ERROR"),
        (["x"], "JSON_PARSER_ERROR"),
    ],
)
def test_a_malformed_collection_is_refused_as_a_whole(org: Org, body: Any, code: str) -> None:
    status, errors = ask(org, "PATCH", COLLECTION, body)
    assert (status, errors[0]["errorCode"]) == (400, code)


def test_types_mix_in_a_collection(org: Org) -> None:
    contact, one = org.create("Contact", {"LastName": "Zoll"}).id, lead(org)
    results = write(org, row(contact, "Contact", Title="CTO"), row(one, Title="CTO"))
    assert [result["id"] for result in results] == [contact, one]


@pytest.mark.parametrize(("header", "kept"), [("FALSE", True), ("false", True), ("TRUE", False), (None, False)])
def test_an_assignment_rule_gives_written_leads_a_new_owner_unless_the_header_forbids_it(
    org: Org, header: str | None, kept
) -> None:
    id_, alone, contact = lead(org), lead(org), org.create("Contact", {"LastName": "Zoll"}).id
    owner, org.assigns_to = org.row("Lead", id_).values["OwnerId"], org.user_id
    headers = {"sforce_auto_assign": header} if header else {}
    write(org, row(id_, Rating="Hot"), row(contact, "Contact", Title="CTO"), **headers)
    ask(org, "PATCH", f"sobjects/Lead/{alone}", {"Rating": "Hot"}, **headers)
    owners = {org.row("Lead", one).values["OwnerId"] for one in (id_, alone)}
    assert owners == {owner if kept else org.user_id}
    assert org.row("Contact", contact).values["OwnerId"] == owner, "contacts have no assignment rules"


def test_a_persons_edit_meets_neither_assignment_nor_rules(org: Org) -> None:
    org.assigns_to = org.user_id
    refuse(org, object="Lead")
    row_ = org.edit("Lead", lead(org), {"Rating": "Hot"})
    assert (row_.values["Rating"], row_.values["OwnerId"]) == ("Hot", org.person_id)


def test_a_validation_rule_refuses_one_field_of_one_record(org: Org) -> None:
    one, other = lead(org), lead(org)
    refuse(org, object="Lead", id=one, property="Rating", message="Ask sales first")
    results = write(org, row(one, Rating="Hot"), row(other, Rating="Hot"), row(one, Title="CTO"))
    assert [result["success"] for result in results] == [False, True, True]
    assert results[0]["errors"] == [
        {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Ask sales first", "fields": ["Rating"]}
    ]


def test_a_lock_lets_go_after_so_many_tries(org: Org) -> None:
    id_ = lead(org)
    refuse(org, object="Lead", id=id_, code="UNABLE_TO_LOCK_ROW", message="unable to obtain exclusive access", times=2)
    tried = [write(org, row(id_, Rating="Hot"))[0] for _ in range(3)]
    assert [result["success"] for result in tried] == [False, False, True]
    assert tried[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_a_flows_limit_fails_all_rows_of_a_larger_batch(org: Org) -> None:
    ids = [lead(org) for _ in range(5)]
    contact = org.create("Contact", {"LastName": "Zoll"}).id
    said = "Apex CPU time limit exceeded"
    refuse(org, object="Lead", code="CANNOT_EXECUTE_FLOW_TRIGGER", message=said, above=3)
    results = write(org, *[row(id_) for id_ in ids], row(contact, "Contact"))
    assert [result["success"] for result in results] == [False] * 5 + [True]
    assert {result["errors"][0]["message"] for result in results[:5]} == {said}
    assert all(result["success"] for result in write(org, *[row(id_) for id_ in ids[:3]]))


def test_a_flow_rewrites_and_a_silent_field_does_not_stick(org: Org) -> None:
    id_ = lead(org)
    org.rules.rules.append(
        parse_record_rule(
            {"object": "Lead", "id": "*", "action": "rewrite", "property": "Leadmark_Score__c", "value": 5}
        )
    )
    org.rules.rules.append(
        parse_record_rule({"object": "Lead", "id": id_, "action": "ignore", "property": "Leadmark_Tier__c"})
    )
    assert write(org, row(id_, Leadmark_Score__c=81, Leadmark_Tier__c="A"))[0]["success"]
    values = org.row("Lead", id_).values
    assert (values["Leadmark_Score__c"], values.get("Leadmark_Tier__c")) == (5, None)


def test_one_record_is_made_read_changed_and_deleted(org: Org) -> None:
    status, made = ask(org, "POST", "sobjects/Lead", {"LastName": "Sands", "Company": "Acme"})
    assert (status, made["success"], made["errors"]) == (201, True, [])
    path = f"sobjects/Lead/{made['id']}"
    assert ask(org, "PATCH", path, {"Rating": "Hot"}) == (204, None)
    whole = ask(org, "GET", path)[1]
    assert (whole["Rating"], whole["Status"], whole["CreatedById"]) == ("Hot", "Open - Not Contacted", org.user_id)
    assert whole["attributes"] == {"type": "Lead", "url": f"/services/data/v66.0/{path}"}
    assert ask(org, "GET", f"{path}?fields=Rating,Name")[1] == {
        "attributes": whole["attributes"],
        "Id": made["id"],
        "Rating": "Hot",
        "Name": "Sands",
    }
    assert ask(org, "DELETE", path) == (204, None)
    for method in ("GET", "DELETE"):
        status, errors = ask(org, method, path)
        assert (status, errors[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Lead", {"LastName": "Sands"}, "REQUIRED_FIELD_MISSING"),
        ("Lead", ["Sands"], "JSON_PARSER_ERROR"),
        ("Nonsense", {"Name": "x"}, "NOT_FOUND"),
        ("Lead", {"LastName": "Sands", "Company": "Acme", "IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_new_record_is_checked_too(org: Org, path: str, body: Any, code: str) -> None:
    assert ask(org, "POST", f"sobjects/{path}", body)[1][0]["errorCode"] == code
    assert not org.rows["Lead"]


def test_an_update_names_its_record_in_the_path_alone(org: Org) -> None:
    status, errors = ask(org, "PATCH", f"sobjects/Lead/{lead(org)}", {"Id": "x"})
    assert (status, errors[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_collections_also_make_and_read(org: Org) -> None:
    new = [{"attributes": {"type": "Lead"}, "LastName": name, "Company": "Acme"} for name in ("Sands", "")]
    made, failed = ask(org, "POST", COLLECTION, {"records": new})[1]
    assert failed["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    gone = lead(org)
    org.delete("Lead", gone)
    asked = {"ids": [gone, made["id"][:15], new_id("00Q", 999)], "fields": ["LastName"]}
    status, found = ask(org, "POST", f"{COLLECTION}/Lead", asked)
    assert (status, [item and item["LastName"] for item in found]) == (200, [None, "Sands", None])
    for wrong, code in (({"ids": [], "fields": ["Nonsense"]}, "INVALID_FIELD"), ({"ids": "x"}, "JSON_PARSER_ERROR")):
        assert ask(org, "POST", f"{COLLECTION}/Lead", wrong)[1][0]["errorCode"] == code
    many = {"ids": ["x"] * 2001, "fields": ["Id"]}
    assert ask(org, "POST", f"{COLLECTION}/Lead", many)[1][0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_a_collection_of_two_hundred_rows_takes_a_few_milliseconds(org: Org) -> None:
    ids = [lead(org) for _ in range(200)]
    rows = [row(id_, Leadmark_Score__c=81.5, Leadmark_Reasons__c="Asked for a demo") for id_ in ids]
    took_s = []
    for _ in range(5):
        begun = process_time()
        write(org, *rows)
        took_s.append(process_time() - begun)
    assert min(took_s) < 0.03
