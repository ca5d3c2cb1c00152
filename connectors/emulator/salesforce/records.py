"""Records through the API: one at a time, and in collections of up to 200.

A collection answers 200 with a result for every record in the order sent; a failed one has no id.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from connectors.emulator.salesforce.checks import checked_insert, checked_update
from connectors.emulator.salesforce.ids import normalised
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.wire import Reply, Request

MOST_RECORDS = 200
MOST_CHUNKS = 10
MOST_IDS = 2_000
#: what a write that is fine does
_Write = Callable[[], str]


def read_one(org: Org, request: Request) -> Reply:
    """``GET sobjects/{object}/{id}``."""
    object_ = request.parts["object"]
    row = org.row(object_, request.parts["id"])
    if row.deleted:
        raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
    names = request.texts("fields") or _readable(org, object_)
    return Reply(body=_shown(org, object_, row.id, _known(org, object_, names)))


def create_one(org: Org, request: Request) -> Reply:
    """``POST sobjects/{object}``."""
    object_ = request.parts["object"]
    id_ = _insert(org, object_, _record(request.body), request, 1)()
    return Reply(status=201, body={"id": id_, "success": True, "errors": []})


def update_one(org: Org, request: Request) -> Reply:
    """``PATCH sobjects/{object}/{id}``."""
    object_, id_ = request.parts["object"], request.parts["id"]
    record = _record(request.body)
    if any(name.casefold() == "id" for name in record):
        raise Refused("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    org.row(object_, id_)
    _update(org, object_, {**record, "Id": id_}, request, 1)()
    return Reply(status=204)


def delete_one(org: Org, request: Request) -> Reply:
    """``DELETE sobjects/{object}/{id}``."""
    org.delete(request.parts["object"], request.parts["id"])
    return Reply(status=204)


def update_many(org: Org, request: Request) -> Reply:
    """``PATCH composite/sobjects``."""
    return _many(org, request, _update)


def create_many(org: Org, request: Request) -> Reply:
    """``POST composite/sobjects``."""
    return _many(org, request, _insert)


def read_many(org: Org, request: Request) -> Reply:
    """``POST composite/sobjects/{object}``: the records of some ids in their order, null for one that is not there."""
    object_ = request.parts["object"]
    ids, names = _list(request.body, "ids"), _list(request.body, "fields")
    if len(ids) > MOST_IDS:
        raise Refused("EXCEEDED_ID_LIMIT", f"cannot retrieve more than {MOST_IDS} records")
    known = _known(org, object_, names)
    rows = [org.rows[object_].get(normalised(id_)) for id_ in ids]
    return Reply(body=[_shown(org, object_, row.id, known) if row and not row.deleted else None for row in rows])


def _many(org: Org, request: Request, write: Callable[[Org, str, Any, Request, int], _Write]) -> Reply:
    records = [_record(record) for record in _list(request.body, "records")]
    if len(records) > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise Refused("EXCEEDED_ID_LIMIT", message)
    chunks = [(object_, list(chunk)) for object_, chunk in groupby(records, _type_of)]
    if len(chunks) > MOST_CHUNKS:
        raise Refused("LIMIT_EXCEEDED", f"Cannot have more than {MOST_CHUNKS} chunks in a single operation")
    results: list[_Write | Refused] = []
    for object_, chunk in chunks:
        for record in chunk:
            try:
                results.append(write(org, object_, record, request, len(chunk)))
            except Refused as refusal:
                results.append(refusal)
    if request.body.get("allOrNone") is True and any(isinstance(result, Refused) for result in results):
        rolled_back = Refused(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        )
        results = [result if isinstance(result, Refused) else rolled_back for result in results]
    return Reply(body=[_result(result) for result in results])


def _result(result: _Write | Refused) -> dict[str, Any]:
    """What a collection says of one record, once it is written."""
    if isinstance(result, Refused):
        return {"success": False, "errors": [result.of_row()]}
    return {"id": result(), "success": True, "errors": []}


def _update(org: Org, object_: str, record: dict[str, Any], request: Request, batch: int) -> _Write:
    id_ = next((value for name, value in record.items() if name.casefold() == "id"), None)
    if id_ is None:
        raise Refused("MISSING_ARGUMENT", "Id not specified in an update call")
    row, values = checked_update(org, object_, id_, record, batch=batch)

    def write() -> str:
        org.write(object_, row, values, auto_assign=_auto_assign(request))
        return row.id

    return write


def _insert(org: Org, object_: str, record: dict[str, Any], request: Request, batch: int) -> _Write:
    values = checked_insert(org, object_, record, batch=batch)

    def write() -> str:
        row = org.create(object_, {"OwnerId": org.user_id} | values if _owned(org, object_) else values)
        org.write(object_, row, {"CreatedById": org.user_id}, auto_assign=_auto_assign(request))
        return row.id

    return write


def _auto_assign(request: Request) -> bool:
    """True unless the caller said ``Sforce-Auto-Assign: FALSE``, as Salesforce has it."""
    return request.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"


def _owned(org: Org, object_: str) -> bool:
    return "OwnerId" in org.objects[object_].fields


def _type_of(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    object_ = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(object_, str):
        raise Refused("INVALID_INPUT", "Include an entity type with each record: attributes.type")
    return object_


def _record(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refused("JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object of fields")
    return body


def _list(body: Any, name: str) -> list[Any]:
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise Refused("JSON_PARSER_ERROR", f"The HTTP entity body is required to hold a list '{name}'")
    return found


def _readable(org: Org, object_: str) -> list[str]:
    return [field.name for field in org.objects[object_].fields.values() if field.readable]


def _known(org: Org, object_: str, names: Sequence[str]) -> list[str]:
    readable = _readable(org, org.object_type(object_).name)
    if unknown := [name for name in names if name not in readable]:
        raise Refused("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {object_}")
    return list(names)


def _shown(org: Org, object_: str, id_: str, names: Sequence[str]) -> dict[str, Any]:
    row = org.rows[object_][id_]
    about = {"type": object_, "url": f"/services/data/v66.0/sobjects/{object_}/{id_}"}
    return {"attributes": about, **org.shown(object_, row, ["Id", *names])}
