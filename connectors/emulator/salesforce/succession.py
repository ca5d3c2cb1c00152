"""What becomes of records: deleted and taken back, merged, converted, archived, with all that hangs on them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors.emulator.clock import DAY_MS
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.refusals import Refused

if TYPE_CHECKING:  # the org calls these
    from connectors.emulator.salesforce.org import Org, Row

#: object -> where others refer to it: what is deleted with it, and moves to the winner of a merge
_CHILDREN = {
    "Lead": (("Task", "WhoId"), ("Event", "WhoId"), ("CampaignMember", "LeadId")),
    "Contact": (
        ("Task", "WhoId"),
        ("Event", "WhoId"),
        ("CampaignMember", "ContactId"),
        ("OpportunityContactRole", "ContactId"),
    ),
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Task", "WhatId"), ("Event", "WhatId")),
    "Campaign": (("CampaignMember", "CampaignId"),),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"), ("Task", "WhatId"), ("Event", "WhatId")),
}
#: what a new contact takes from its lead
_CARRIED = (
    "LastName",
    "FirstName",
    "Salutation",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "LeadSource",
    "OwnerId",
    "HasOptedOutOfEmail",
    "DoNotCall",
    "EmailBouncedReason",
    "EmailBouncedDate",
    "IndividualId",
    "LastActivityDate",
)


def delete(org: "Org", object_: str, row: "Row", *, root: str = "", **values: Any) -> None:
    """Deletes a row and what hangs on it; ``root`` is the row the whole began with."""
    org.change(object_, row, values, deleted=True)
    row.deleted_with = root
    for child, _, item in _hanging(org, object_, row.id):
        delete(org, child, item, root=root or row.id)


def undelete(org: "Org", object_: str, row: "Row") -> None:
    """Takes a deleted row back, with what was deleted with it."""
    if not row.deleted:
        raise Refused("UNDELETE_FAILED", "Entity is not in the recycle bin")
    taken = [(child, item) for child in org.rows for item in org.rows[child].values() if item.deleted_with == row.id]
    for kind, item in [(object_, row), *taken]:
        org.change(kind, item, {}, deleted=False)
        item.deleted_with = ""


def merge(org: "Org", object_: str, master: "Row", loser: "Row") -> "Row":
    """The master, stamped; what hung on the loser is the master's now, unstamped."""
    if object_ not in ("Lead", "Contact", "Account"):
        raise Refused("INVALID_OPERATION", f"{object_} cannot be merged")
    if master is loser or master.deleted or loser.deleted:
        raise Refused("INVALID_ID_FIELD", "A merge needs two different records that are not deleted")
    if master.values.get("IsConverted"):
        raise Refused("INVALID_OPERATION", "A converted lead cannot be the master of a merge")
    campaigns = {item.values["CampaignId"] for _, _, item in _hanging(org, object_, master.id, only="CampaignMember")}
    for child, name, item in list(_hanging(org, object_, loser.id)):
        if child == "CampaignMember" and item.values["CampaignId"] in campaigns:
            delete(org, child, item)
        else:
            org.change(child, item, {name: master.id}, stamped=False)
    org.change(object_, loser, {"MasterRecordId": master.id}, deleted=True)
    org.change(object_, master, {})
    return master


def convert(org: "Org", lead: "Row", *, contact: "Row | None", account: "Row | None") -> "Row":
    """The contact; activities are the contact's now, campaign members name both. Neither is stamped."""
    if lead.deleted or lead.values.get("IsConverted"):
        raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    if account is None and contact is not None and contact.values.get("AccountId"):
        account = org.row("Account", contact.values["AccountId"])
    if account is None:
        names = ("Industry", "AnnualRevenue", "NumberOfEmployees", "Website", "OwnerId")
        taken = {name: lead.values.get(name) for name in names}
        company = lead.values.get("Company") or lead.values.get("Name")
        account = org.create("Account", {**taken, "Name": company, "BillingCountry": lead.values.get("Country")})
    carried = {name: lead.values[name] for name in _carried(org) if lead.values.get(name) is not None}
    if contact is None:
        place = {"MailingCountry": lead.values.get("Country"), "MailingCity": lead.values.get("City")}
        contact = org.create("Contact", {**carried, **place, "AccountId": account.id})
    else:
        empty = {name: value for name, value in carried.items() if contact.values.get(name) is None}
        org.change("Contact", contact, {"AccountId": account.id, **empty})
    for child, name, item in list(_hanging(org, "Lead", lead.id)):
        named = "ContactId" if child == "CampaignMember" else name
        org.change(child, item, {named: contact.id}, stamped=False)
    org.change(
        "Lead",
        lead,
        {
            "IsConverted": True,
            "ConvertedDate": shown(org.now_ms())[:10],
            "ConvertedContactId": contact.id,
            "ConvertedAccountId": account.id,
            "Status": "Closed - Converted",
        },
    )
    return contact


def archive(org: "Org") -> int:
    """Hides old events and old closed tasks from plain queries; how many."""
    last_day = shown(org.now_ms() - 365 * DAY_MS)[:10]
    count = 0
    for object_ in ("Task", "Event"):
        for row in org.live(object_):
            day = row.values.get("ActivityDate") or shown(row.created_ms)[:10]
            if not row.archived and day <= last_day and (object_ == "Event" or row.values.get("IsClosed")):
                row.archived = True
                count += 1
    return count


def _carried(org: "Org") -> list[str]:
    """Fields a contact takes from its lead; custom ones where a conversion mapping names them."""
    contact = org.objects["Contact"].fields
    custom = [name for name, known in org.objects["Lead"].fields.items() if known.custom and name in contact]
    return [*_CARRIED, *custom * org.conversion_mapping]


def _hanging(org: "Org", object_: str, id_: str, *, only: str = "") -> "Iterator[tuple[str, str, Row]]":
    """What hangs on a record and is not deleted: its object, the field that refers, the row."""
    for child, name in _CHILDREN.get(object_, ()):
        if only in ("", child):
            for row in org.live(child):
                if row.values.get(name) == id_:
                    yield child, name, row
