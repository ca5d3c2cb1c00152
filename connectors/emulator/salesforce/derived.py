"""Fields Salesforce works out from others: names, closed tasks, who responded, what was won."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.emulator.salesforce.instants import shown

#: what a new record holds unless told otherwise
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "Lead": {"Status": "Open - Not Contacted"},
    "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
    "Event": {"EventSubtype": "Event"},
    "CampaignMember": {"Status": "Sent"},
    "Opportunity": {"StageName": "Prospecting"},
    "User": {"IsActive": True, "UserType": "Standard"},
    "RecordType": {"IsActive": True},
}
#: statuses of campaign members that count as a response
RESPONDED = frozenset({"Responded", "Registered", "Attended"})


def derived(object_: str, values: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """What follows from a record's values; a date that is worked out once stays as it is.

    >>> derived("Lead", {"FirstName": "Ada", "LastName": "Sands"}, 0)
    {'Name': 'Ada Sands'}
    """
    work_out = _RULES.get(object_)
    return work_out(values, shown(now_ms)) if work_out else {}


def _named(values: Mapping[str, Any], _: str) -> dict[str, Any]:
    return {"Name": " ".join(filter(None, (values.get("FirstName"), values.get("LastName"))))}


def _contact(values: Mapping[str, Any], now: str) -> dict[str, Any]:
    return {**_named(values, now), "IsEmailBounced": bool(values.get("EmailBouncedDate"))}


def _task(values: Mapping[str, Any], now: str) -> dict[str, Any]:
    closed = values.get("Status") == "Completed"
    return {"IsClosed": closed, "CompletedDateTime": (values.get("CompletedDateTime") or now) if closed else None}


def _event(values: Mapping[str, Any], _: str) -> dict[str, Any]:
    start = values.get("StartDateTime") or values.get("ActivityDateTime")
    return {"StartDateTime": start, "ActivityDateTime": start, "ActivityDate": start[:10]} if start else {}


def _member(values: Mapping[str, Any], now: str) -> dict[str, Any]:
    responded = values.get("Status") in RESPONDED
    contact = values.get("ContactId")
    return {
        "LeadOrContactId": contact or values.get("LeadId"),
        "Type": "Contact" if contact else "Lead",
        "HasResponded": responded,
        "FirstRespondedDate": (values.get("FirstRespondedDate") or now[:10]) if responded else None,
    }


def _opportunity(values: Mapping[str, Any], _: str) -> dict[str, Any]:
    stage = str(values.get("StageName"))
    return {"IsClosed": stage.startswith("Closed"), "IsWon": stage == "Closed Won"}


_RULES: Mapping[str, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {
    "Lead": _named,
    "Contact": _contact,
    "User": _named,
    "Individual": _named,
    "Task": _task,
    "Event": _event,
    "CampaignMember": _member,
    "Opportunity": _opportunity,
}
