"""Property definitions: what a property is, and those every emulated portal has.

Names, labels and types are HubSpot's; ``emulator_character`` says which character a made-up person plays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: ours, in the order of the outputs: name -> (label, type, field type)
OUTPUTS: Mapping[str, tuple[str, str, str]] = {
    "leadmark_score": ("Lead score", "number", "number"),
    "leadmark_fit": ("Lead score: fit", "number", "number"),
    "leadmark_engagement": ("Lead score: engagement", "number", "number"),
    "leadmark_grade": ("Lead grade", "string", "text"),
    "leadmark_tier": ("Lead tier", "string", "text"),
    "leadmark_momentum": ("Lead score: momentum", "string", "text"),
    "leadmark_surged_on": ("Lead score: surged on", "date", "date"),
    "leadmark_mql_status": ("MQL status", "string", "text"),
    "leadmark_mql_since": ("MQL since", "date", "date"),
    "leadmark_mql_cause": ("MQL status: cause", "string", "text"),
    "leadmark_first_mql_on": ("First MQL on", "date", "date"),
    "leadmark_mql_count": ("Times MQL", "number", "number"),
    "leadmark_recycled_on": ("Recycled on", "date", "date"),
    "leadmark_disqualified_by": ("Disqualified by", "string", "text"),
    "leadmark_points_to_mql": ("Points to MQL", "number", "number"),
    "leadmark_interest": ("Main interest", "string", "text"),
    "leadmark_model": ("Scoring model", "string", "text"),
    "leadmark_scored_on": ("Scored on", "date", "date"),
    "leadmark_summary": ("Lead score: summary", "string", "text"),
    "leadmark_reasons": ("Lead score: reasons", "string", "textarea"),
    "leadmark_missing": ("Missing for MQL", "string", "text"),
}
STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
#: pipelines of deals by id, and what people see
PIPELINES: Mapping[str, str] = {"default": "Sales pipeline", "74201": "Renewals"}
#: stages of both
DEAL_STAGES: Mapping[str, str] = {
    "appointmentscheduled": "Appointment scheduled",
    "qualifiedtobuy": "Qualified to buy",
    "contractsent": "Contract sent",
    "closedwon": "Closed won",
    "closedlost": "Closed lost",
}
INDUSTRIES = (
    "COMPUTER_SOFTWARE",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "FINANCIAL_SERVICES",
    "INSURANCE",
    "MACHINERY",
    "INDUSTRIAL_AUTOMATION",
    "AUTOMOTIVE",
    "HOSPITAL_HEALTH_CARE",
    "PHARMACEUTICALS",
    "HIGHER_EDUCATION",
    "RETAIL",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "TELECOMMUNICATIONS",
    "MANAGEMENT_CONSULTING",
    "CONSTRUCTION",
    "FOOD_BEVERAGES",
)
FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "bool": ("booleancheckbox", "calculation_equation"),
    "enumeration": ("booleancheckbox", "checkbox", "radio", "select"),
    "date": ("date",),
    "datetime": ("date",),
    "string": ("text", "textarea", "html", "file", "phonenumber"),
    "phone_number": ("phonenumber",),
    "number": ("number",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One property of an object."""

    name: str
    label: str
    type: str
    field_type: str
    #: values an enumeration takes, in order
    options: tuple[str, ...] = ()
    #: the API refuses writes; a person or HubSpot itself may still change it
    read_only: bool = False
    hubspot_defined: bool = True
    group: str = ""
    description: str = ""
    has_unique_value: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The definition as the Properties API shows it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {"label": self.labels.get(value, value), "value": value, "displayOrder": place, "hidden": False}
                for place, value in enumerate(self.options)
            ],
            "displayOrder": -1,
            "calculated": False,
            "externalOptions": False,
            "archived": False,
            "hasUniqueValue": self.has_unique_value,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "formField": False,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
        }


# One line a property: name | label | type/fieldType | "r" read-only, "c" custom | options
_SHARED = """
hs_object_id | Record ID | number/number | r
hubspot_owner_id | Owner | string/text
"""
_CONTACTS = f"""
email | Email | string/text
firstname | First name | string/text
lastname | Last name | string/text
jobtitle | Job title | string/text
company | Company name | string/text
country | Country | string/text
industry | Industry | string/text
lifecyclestage | Lifecycle stage | enumeration/radio | | {",".join(STAGES)}
hs_lead_status | Lead status | enumeration/radio | | \
NEW,OPEN,IN_PROGRESS,OPEN_DEAL,UNQUALIFIED,ATTEMPTED_TO_CONTACT,CONNECTED,BAD_TIMING
associatedcompanyid | Primary Associated Company ID | number/number | r
hs_email_optout | Unsubscribed from all email | bool/booleancheckbox | r | true,false
hs_email_hard_bounce_reason_enum | Email hard bounce reason | enumeration/select | r | \
OTHER,UNKNOWN_USER,MAILBOX_FULL,CONTENT,SPAM,POLICY,MISSING_SENDER,TIMEOUT,FILTERED,DNS_FAILURE
hs_additional_emails | Additional email addresses | enumeration/checkbox | r
hs_merged_object_ids | Merged record IDs | enumeration/checkbox | r
hs_calculated_merged_vids | Merged vids with timestamps | enumeration/text | r
salesforceleadid | Salesforce Lead ID | string/text | r
salesforcecontactid | Salesforce Contact ID | string/text | r
createdate | Create date | datetime/date | r
lastmodifieddate | Last modified date | datetime/date | r
need_date | Needs it by | date/date | c
trial_started | Trial started | datetime/date | c
budget | Budget | number/number | c
emulator_character | Character in the emulator | string/text | c
"""
_COMPANIES = f"""
name | Company name | string/text
domain | Company domain name | string/text
industry | Industry | enumeration/select | | {",".join(INDUSTRIES)}
numberofemployees | Number of employees | number/number
annualrevenue | Annual revenue | number/number
country | Country | string/text
type | Type | enumeration/select | | PROSPECT,PARTNER,RESELLER,VENDOR,OTHER
hs_merged_object_ids | Merged record IDs | enumeration/checkbox | r
createdate | Create date | datetime/date | r
hs_lastmodifieddate | Last modified date | datetime/date | r
"""
_ENGAGEMENTS = """
hs_timestamp | Activity date | datetime/date
hs_createdate | Create date | datetime/date | r
hs_lastmodifieddate | Last modified date | datetime/date | r
"""
_EMAILS = f"""{_ENGAGEMENTS}
hs_email_direction | Direction | enumeration/select | | EMAIL,INCOMING_EMAIL,FORWARDED_EMAIL
hs_email_status | Send status | enumeration/select | | BOUNCED,FAILED,SCHEDULED,SENDING,SENT
hs_email_subject | Subject | string/text
hs_email_text | Text body | string/textarea
"""
_CALLS = f"""{_ENGAGEMENTS}
hs_call_title | Title | string/text
hs_call_body | Notes | string/textarea
hs_call_direction | Direction | enumeration/select | | INBOUND,OUTBOUND
hs_call_disposition | Outcome | string/text
hs_call_duration | Duration | number/number
hs_call_status | Status | enumeration/select | | \
BUSY,CALLING_CRM_USER,CANCELED,COMPLETED,CONNECTING,FAILED,IN_PROGRESS,NO_ANSWER,QUEUED,RINGING
"""
_MEETINGS = f"""{_ENGAGEMENTS}
hs_meeting_title | Title | string/text
hs_meeting_outcome | Outcome | enumeration/select | | SCHEDULED,COMPLETED,RESCHEDULED,NO_SHOW,CANCELED
hs_meeting_start_time | Start | datetime/date
hs_meeting_end_time | End | datetime/date
"""


_DEALS = f"""
dealname | Deal name | string/text
pipeline | Pipeline | enumeration/select | | {",".join(PIPELINES)}
dealstage | Deal stage | enumeration/radio | | {",".join(DEAL_STAGES)}
amount | Amount | number/number
closedate | Close date | datetime/date
hs_is_closed | Is closed | bool/calculation_equation | r | true,false
hs_is_closed_won | Is closed won | bool/calculation_equation | r | true,false
num_associated_contacts | Number of associated contacts | number/number | r
hs_merged_object_ids | Merged record IDs | enumeration/checkbox | r
createdate | Create date | datetime/date | r
hs_lastmodifieddate | Last modified date | datetime/date | r
"""


def _read(kind: str, table: str) -> dict[str, Definition]:
    definitions: dict[str, Definition] = {}
    for line in filter(None, (_SHARED + table).splitlines()):
        name, label, types, *rest = (part.strip() for part in line.split("|"))
        marks, options = [*rest, "", ""][:2]
        type_, field_type = types.split("/")
        definitions[name] = Definition(
            name=name,
            label=label,
            type=type_,
            field_type=field_type,
            options=tuple(filter(None, options.split(","))),
            read_only="r" in marks,
            hubspot_defined="c" not in marks,
            group=f"{kind}_information",
        )
    return definitions


def portal_definitions() -> dict[str, dict[str, Definition]]:
    """Object -> property name -> definition of a new portal, our output properties on contacts included."""
    portal = {
        "contacts": _read("contacts", _CONTACTS),
        "companies": _read("companies", _COMPANIES),
        "deals": _read("deals", _DEALS),
        "emails": _read("emails", _EMAILS),
        "calls": _read("calls", _CALLS),
        "meetings": _read("meetings", _MEETINGS),
    }
    for name, (label, type_, field_type) in OUTPUTS.items():
        portal["contacts"][name] = Definition(
            name=name, label=label, type=type_, field_type=field_type, hubspot_defined=False, group="lead_scoring"
        )
    return portal
