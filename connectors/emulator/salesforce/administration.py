"""What an org says of itself, and what its administrator may change: versions, limits, fields, who sees them."""

from typing import Any

from connectors.emulator.salesforce.fields import Field
from connectors.emulator.salesforce.ids import new_id
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.refusals import Refused, not_there
from connectors.emulator.wire import Reply, Request

OLDEST_VERSION, NEWEST_VERSION = 31, 68
_SEASONS = ("Winter", "Spring", "Summer")
#: metadata's word for a type, and describe's
_TYPES = {
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Text": "string",
    "LongTextArea": "textarea",
    "TextArea": "textarea",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Date": "date",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Picklist": "picklist",
}


def versions() -> Reply:
    """``GET /services/data``."""
    return Reply(
        body=[
            {"label": _release(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
        ]
    )


def describe_all(org: Org, request: Request) -> Reply:  # noqa: ARG001 - every handler takes the request
    """``GET sobjects``."""
    names = ("name", "label", "keyPrefix", "queryable", "updateable")
    shown = [{name: known.describe()[name] for name in names} for known in org.objects.values()]
    return Reply(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})


def describe(org: Org, request: Request) -> Reply:
    """``GET sobjects/{object}/describe``."""
    return Reply(body=org.object_type(request.parts["object"]).describe())


def limits(org: Org, request: Request) -> Reply:  # noqa: ARG001 - every handler takes the request
    """``GET limits``."""
    calls = org.allowance
    return Reply(
        body={
            "DailyApiRequests": {"Max": calls.per_day, "Remaining": max(0, calls.per_day - calls.used_today)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
        }
    )


def create_field(org: Org, request: Request) -> Reply:
    """``POST tooling/sobjects/CustomField``: a field nobody sees until it is granted."""
    body: Any = request.body if isinstance(request.body, dict) else {}
    object_, _, name = str(body.get("FullName", "")).partition(".")
    about = body.get("Metadata") or {}
    fields = org.object_type(object_).fields
    if not name.endswith("__c") or "__" in name[:-3] or about.get("type") not in _TYPES:
        raise Refused("FIELD_INTEGRITY_EXCEPTION", f"{name} is no name of a custom field, or its type is not known")
    if name in fields:
        raise Refused("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {object_}.")
    values = about.get("valueSet", {}).get("valueSetDefinition", {}).get("value", [])
    fields[name] = Field(
        name=name,
        label=about.get("label", name),
        type=_TYPES[about["type"]],
        length=int(about.get("length", 255 if about["type"] == "TextArea" else 0)),
        precision=int(about.get("precision", 0)),
        scale=int(about.get("scale", 0)),
        values=tuple(str(value.get("fullName")) for value in values),
        restricted=bool(about.get("valueSet", {}).get("restricted")),
        custom=True,
        readable=False,
        editable=False,
    )
    made = {"id": new_id("00N", len(fields)), "success": True, "errors": [], "warnings": [], "infos": []}
    return Reply(status=201, body=made)


def grant_field(org: Org, request: Request) -> Reply:
    """``POST sobjects/FieldPermissions``: who may see and write a field."""
    body: Any = request.body if isinstance(request.body, dict) else {}
    field = field_at(org, str(body.get("Field", "")))
    field.readable = body.get("PermissionsRead") is True
    field.editable = body.get("PermissionsEdit") is True
    return Reply(status=201, body={"id": new_id("01k", 1), "success": True, "errors": []})


def field_at(org: Org, path: str) -> Field:
    """The field of ``Lead.Email``; NOT_FOUND when there is none."""
    object_, _, name = path.partition(".")
    field = org.object_type(object_).fields.get(name)
    if field is None:
        raise not_there(f"{path} is no field of the org")
    return field


def _release(number: int) -> str:
    """The release that brought a version of the API.

    >>> _release(66), _release(31)
    ("Spring '26", "Summer '14")
    """
    return f"{_SEASONS[(number - 65) % 3]} '{26 + (number - 65) // 3}"
