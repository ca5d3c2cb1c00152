"""The objects of a new org: Salesforce's standard fields as far as they are used here, ours, and a few custom ones.

``Emulator_Character__c`` says which character a made-up person plays.
"""

import re
from collections.abc import Mapping

from connectors.emulator.salesforce.fields import Field, ObjectType

LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
INDUSTRIES = (
    "Agriculture",
    "Banking",
    "Biotechnology",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Finance",
    "Food & Beverage",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Retail",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Other",
)

# One line a field: name | label | type(length) or type(precision,scale) | marks | values, or objects as relationship.
# Marks: "r" no API may set it, "c" custom, "x" a restricted picklist.
_SYSTEM = """
Id | Record ID | id(18) | r
IsDeleted | Deleted | boolean | r
CreatedDate | Created Date | datetime | r
CreatedById | Created By ID | reference(18) | r | User as CreatedBy
LastModifiedDate | Last Modified Date | datetime | r
LastModifiedById | Last Modified By ID | reference(18) | r | User as LastModifiedBy
SystemModstamp | System Modstamp | datetime | r
"""
_OURS = """
Leadmark_Score__c | Lead score | double(5,2) | c
Leadmark_Fit__c | Lead score: fit | double(5,2) | c
Leadmark_Engagement__c | Lead score: engagement | double(5,2) | c
Leadmark_Grade__c | Lead grade | string(255) | c
Leadmark_Tier__c | Lead tier | string(255) | c
Leadmark_Momentum__c | Lead score: momentum | string(255) | c
Leadmark_Surged_On__c | Lead score: surged on | date | c
Leadmark_Mql_Status__c | MQL status | string(255) | c
Leadmark_Mql_Since__c | MQL since | date | c
Leadmark_Mql_Cause__c | MQL status: cause | string(255) | c
Leadmark_First_Mql_On__c | First MQL on | date | c
Leadmark_Mql_Count__c | Times MQL | double(18,0) | c
Leadmark_Recycled_On__c | Recycled on | date | c
Leadmark_Disqualified_By__c | Disqualified by | string(255) | c
Leadmark_Points_To_Mql__c | Points to MQL | double(18,0) | c
Leadmark_Interest__c | Main interest | string(255) | c
Leadmark_Summary__c | Lead score: summary | string(255) | c
Leadmark_Reasons__c | Lead score: reasons | textarea(32768) | c
Leadmark_Missing__c | Missing for MQL | string(255) | c
Leadmark_Model__c | Scoring model | string(255) | c
Leadmark_Scored_On__c | Scored on | date | c
"""
_PERSON = f"""
MasterRecordId | Master Record ID | reference(18) | r | SELF as MasterRecord
LastName | Last Name | string(80)
FirstName | First Name | string(40)
Salutation | Salutation | picklist(40) | | Mr.,Ms.,Mrs.,Dr.,Prof.
Name | Full Name | string(121) | r
RecordTypeId | Record Type ID | reference(18) | | RecordType as RecordType
Title | Title | string(128)
Email | Email | email(80)
Phone | Phone | phone(40)
MobilePhone | Mobile Phone | phone(40)
LeadSource | Lead Source | picklist(255) | | Web,Phone Inquiry,Partner Referral,Purchased List,Trade Show,Other
OwnerId | Owner ID | reference(18) | | User as Owner
HasOptedOutOfEmail | Email Opt Out | boolean
DoNotCall | Do Not Call | boolean
EmailBouncedReason | Email Bounced Reason | string(255) | r
EmailBouncedDate | Email Bounced Date | datetime | r
IndividualId | Individual ID | reference(18) | | Individual as Individual
LastActivityDate | Last Activity | date | r
Budget__c | Budget | currency(16,2) | c
Need_Date__c | Needs it by | date | c
Trial_Started__c | Trial started | datetime | c
HubSpot_ID__c | HubSpot ID | string(40) | c
Emulator_Character__c | Character in the emulator | string(40) | c
{_OURS}"""
_LEAD = f"""{_PERSON}
Company | Company | string(255)
Street | Street | textarea(255)
City | City | string(40)
State | State/Province | string(80)
PostalCode | Zip/Postal Code | string(20)
Country | Country | string(80)
Website | Website | url(255)
Industry | Industry | picklist(255) | | {",".join(INDUSTRIES)}
AnnualRevenue | Annual Revenue | currency(18,0)
NumberOfEmployees | Employees | int(8,0)
Rating | Rating | picklist(255) | | Hot,Warm,Cold
Status | Status | picklist(255) | x | {",".join(LEAD_STATUSES)}
IsConverted | Converted | boolean | r
ConvertedDate | Converted Date | date | r
ConvertedAccountId | Converted Account ID | reference(18) | r | Account as ConvertedAccount
ConvertedContactId | Converted Contact ID | reference(18) | r | Contact as ConvertedContact
ConvertedOpportunityId | Converted Opportunity ID | reference(18) | r | Opportunity as ConvertedOpportunity
IsUnreadByOwner | Unread By Owner | boolean
"""
_CONTACT = f"""{_PERSON}
AccountId | Account ID | reference(18) | | Account as Account
ReportsToId | Reports To ID | reference(18) | | Contact as ReportsTo
Department | Department | string(80)
MailingStreet | Mailing Street | textarea(255)
MailingCity | Mailing City | string(40)
MailingState | Mailing State/Province | string(80)
MailingPostalCode | Mailing Zip/Postal Code | string(20)
MailingCountry | Mailing Country | string(80)
IsEmailBounced | Is Email Bounced | boolean | r
Sales_Status__c | Sales status | picklist(255) | xc | Open,Working,Accepted,Recycled,Disqualified,Customer
"""
_ACCOUNT = f"""
MasterRecordId | Master Record ID | reference(18) | r | Account as MasterRecord
Name | Account Name | string(255)
Type | Account Type | picklist(255) | | Prospect,Customer - Direct,Customer - Channel,Partner,Competitor,Other
ParentId | Parent Account ID | reference(18) | | Account as Parent
Website | Website | url(255)
Industry | Industry | picklist(255) | | {",".join(INDUSTRIES)}
AnnualRevenue | Annual Revenue | currency(18,0)
NumberOfEmployees | Employees | int(8,0)
BillingCity | Billing City | string(40)
BillingState | Billing State/Province | string(80)
BillingCountry | Billing Country | string(80)
Phone | Account Phone | phone(40)
OwnerId | Owner ID | reference(18) | | User as Owner
"""
_INDIVIDUAL = """
LastName | Last Name | string(80)
FirstName | First Name | string(40)
Name | Name | string(121) | r
HasOptedOutProfiling | Don't Profile | boolean
HasOptedOutProcessing | Don't Process | boolean
HasOptedOutTracking | Don't Track | boolean
HasOptedOutSolicit | Don't Market | boolean
ShouldForget | Forget this Individual | boolean
OwnerId | Owner ID | reference(18) | | User as Owner
"""
_USER = """
Username | Username | string(80)
LastName | Last Name | string(80)
FirstName | First Name | string(40)
Name | Full Name | string(121) | r
Email | Email | email(128)
Title | Title | string(80)
IsActive | Active | boolean
UserType | User Type | picklist(40) | r | Standard,PowerPartner,CspLitePortal,AutomatedProcess
"""
_ACTIVITY = """
WhoId | Name ID | reference(18) | | Contact,Lead as Who
WhatId | Related To ID | reference(18) | | Account,Opportunity,Campaign as What
AccountId | Account ID | reference(18) | r | Account as Account
Subject | Subject | string(255)
Description | Description | textarea(32000)
ActivityDate | Date | date
OwnerId | Assigned To ID | reference(18) | | User as Owner
IsArchived | Archived | boolean | r
HubSpot_ID__c | HubSpot ID | string(40) | c
"""
_TASK = f"""{_ACTIVITY}
Status | Status | picklist(255) | x | Not Started,In Progress,Completed,Waiting on someone else,Deferred
Priority | Priority | picklist(255) | x | High,Normal,Low
IsClosed | Closed | boolean | r
CompletedDateTime | Completed Date/Time | datetime | r
TaskSubtype | Task Subtype | picklist(40) | x | Task,Email,Call,ListEmail,Cadence,LinkedIn
Type | Type | picklist(255) | | Call,Email,Meeting,Other
CallType | Call Type | picklist(40) | x | Internal,Inbound,Outbound
CallDurationInSeconds | Call Duration | int(8,0)
CallDisposition | Call Result | string(255)
IsRecurrence | Create Recurring Series | boolean | r
"""
_EVENT = f"""{_ACTIVITY}
StartDateTime | Start Date Time | datetime
EndDateTime | End Date Time | datetime
ActivityDateTime | Due Date Time | datetime
DurationInMinutes | Duration | int(8,0)
IsAllDayEvent | All-Day Event | boolean
Type | Type | picklist(255) | | Email,Meeting,Other,Call
EventSubtype | Event Subtype | picklist(40) | x | Event
Location | Location | string(255)
"""
_CAMPAIGN = """
Name | Campaign Name | string(80)
Type | Type | picklist(255) | | Conference,Webinar,Trade Show,Email,Advertisement,Web Form,Content,Other
Status | Status | picklist(255) | | Planned,In Progress,Completed,Aborted
ParentId | Parent Campaign ID | reference(18) | | Campaign as Parent
IsActive | Active | boolean
StartDate | Start Date | date
EndDate | End Date | date
OwnerId | Owner ID | reference(18) | | User as Owner
"""
_MEMBER = """
CampaignId | Campaign ID | reference(18) | | Campaign as Campaign
LeadId | Lead ID | reference(18) | | Lead as Lead
ContactId | Contact ID | reference(18) | | Contact as Contact
LeadOrContactId | Related Record ID | reference(18) | r | Lead,Contact as LeadOrContact
Type | Related Record Type | string(40) | r
Status | Status | picklist(255) | | Sent,Responded,Registered,Attended,No Show
HasResponded | Responded | boolean | r
FirstRespondedDate | First Responded Date | date | r
"""
_OPPORTUNITY = f"""
AccountId | Account ID | reference(18) | | Account as Account
Name | Name | string(120)
StageName | Stage | picklist(255) | | {",".join(STAGES)}
Type | Opportunity Type | picklist(255) | | New Customer,Existing Customer - Upgrade,Existing Customer - Replacement
Amount | Amount | currency(16,2)
CloseDate | Close Date | date
IsClosed | Closed | boolean | r
IsWon | Won | boolean | r
CampaignId | Campaign ID | reference(18) | | Campaign as Campaign
OwnerId | Owner ID | reference(18) | | User as Owner
"""
_ROLE = """
OpportunityId | Opportunity ID | reference(18) | | Opportunity as Opportunity
ContactId | Contact ID | reference(18) | | Contact as Contact
Role | Role | picklist(255) | | Business User,Decision Maker,Economic Buyer,Evaluator,Executive Sponsor,Influencer,Other
IsPrimary | Primary | boolean
"""
_ORGANIZATION = """
Name | Name | string(80)
IsSandbox | Is Sandbox | boolean | r
OrganizationType | Edition | picklist(40) | r
InstanceName | Instance Name | string(5) | r
TimeZoneSidKey | Time Zone | picklist(40)
LanguageLocaleKey | Language | picklist(40)
"""
_RECORD_TYPE = """
Name | Name | string(80)
DeveloperName | Record Type Name | string(80)
SobjectType | SObject Type Name | picklist(40)
IsActive | Active | boolean
"""
_OBJECTS = (
    ("Organization", "Organization", "00D", _ORGANIZATION),
    ("User", "User", "005", _USER),
    ("RecordType", "Record Type", "012", _RECORD_TYPE),
    ("Individual", "Individual", "0PK", _INDIVIDUAL),
    ("Account", "Account", "001", _ACCOUNT),
    ("Lead", "Lead", "00Q", _LEAD),
    ("Contact", "Contact", "003", _CONTACT),
    ("Campaign", "Campaign", "701", _CAMPAIGN),
    ("CampaignMember", "Campaign Member", "00v", _MEMBER),
    ("Task", "Task", "00T", _TASK),
    ("Event", "Event", "00U", _EVENT),
    ("Opportunity", "Opportunity", "006", _OPPORTUNITY),
    ("OpportunityContactRole", "Opportunity Contact Role", "00K", _ROLE),
)
_NEVER_DELETED = ("Organization", "User", "RecordType")
_TYPE = re.compile(r"(?P<type>[a-z]+)(?:\((?P<size>\d+)(?:,(?P<scale>\d+))?\))?")


def read_field(line: str, *, own: str = "") -> Field:
    """A field from its line: ``name | label | type(size) | marks | values or targets``; ``own``: what SELF stands for.

    >>> read_field("Score__c | Score | double(5,2) | c").precision
    5
    >>> read_field("WhoId | Name | reference(18) | | Lead,Contact as Who").refers_to
    ('Lead', 'Contact')
    """
    name, label, sized, *rest = (part.strip() for part in line.split("|"))
    marks, listed = [*rest, "", ""][:2]
    match = _TYPE.fullmatch(sized)
    if match is None:
        raise ValueError(f"{line!r}: the type is not such as string(80) or double(5,2)")
    type_, size = match["type"], int(match["size"] or 0)
    targets, _, relationship = listed.partition(" as ") if type_ == "reference" else ("", "", "")
    number = match["scale"] is not None
    return Field(
        name=name,
        label=label,
        type=type_,
        length=0 if number else size,
        precision=size if number else 0,
        scale=int(match["scale"] or 0),
        values=tuple(filter(None, listed.split(","))) if type_ == "picklist" else (),
        restricted="x" in marks,
        refers_to=tuple(own if target == "SELF" else target for target in filter(None, targets.split(","))),
        relationship=relationship,
        updateable="r" not in marks,
        custom="c" in marks,
    )


def org_objects() -> Mapping[str, ObjectType]:
    """Object -> its description in a new org, the objects others refer to first."""
    objects = {}
    for name, label, prefix, table in _OBJECTS:
        fields = [read_field(line, own=name) for line in filter(None, (_SYSTEM + table).splitlines())]
        if name in _NEVER_DELETED:
            fields = [known for known in fields if known.name != "IsDeleted"]
        objects[name] = ObjectType(
            name=name, label=label, key_prefix=prefix, fields={known.name: known for known in fields}
        )
    return objects
