"""What a HubSpot record is in Salesforce: the user of an owner, the account of a company, the values of a person.

Everything a person of a known character has in HubSpot has its place here, so that both CRMs say the same of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.emulator.clock import DAY_MS, parse_ms
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org

#: the user HubSpot's own sync works as
SYNC_USER = "hubspot.sync@acme.example"
_INDUSTRIES = {
    "COMPUTER_SOFTWARE": "Technology",
    "INFORMATION_TECHNOLOGY_AND_SERVICES": "Technology",
    "FINANCIAL_SERVICES": "Finance",
    "INSURANCE": "Insurance",
    "MACHINERY": "Machinery",
    "INDUSTRIAL_AUTOMATION": "Manufacturing",
    "AUTOMOTIVE": "Manufacturing",
    "HOSPITAL_HEALTH_CARE": "Healthcare",
    "PHARMACEUTICALS": "Biotechnology",
    "HIGHER_EDUCATION": "Education",
    "RETAIL": "Retail",
    "LOGISTICS_AND_SUPPLY_CHAIN": "Transportation",
    "TELECOMMUNICATIONS": "Telecommunications",
    "MANAGEMENT_CONSULTING": "Consulting",
    "CONSTRUCTION": "Construction",
    "FOOD_BEVERAGES": "Food & Beverage",
}
#: a lead's Status and a contact's Sales_Status__c, by HubSpot's lead status
LEAD_STATUS = {"BAD_TIMING": "Closed - Not Converted", "OPEN": "Working - Contacted"}
CONTACT_STATUS = {"BAD_TIMING": "Recycled", "OPEN": "Accepted"}
#: properties a lead and a contact have alike: HubSpot's name -> Salesforce's
SHARED = {
    "firstname": "FirstName",
    "lastname": "LastName",
    "jobtitle": "Title",
    "email": "Email",
    "need_date": "Need_Date__c",
    "emulator_character": "Emulator_Character__c",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterparts:
    """Which records of an org stand for which of a portal."""

    org: Org
    world: World
    #: HubSpot's owner -> User
    users: Mapping[str, str]
    #: HubSpot's company -> Account
    accounts: Mapping[str, str]

    def of_person(self, object_: str, properties: Mapping[str, str], at_ms: int) -> dict[str, Any]:
        """The values of a Lead or Contact; what bounced did so at ``at_ms``."""
        values: dict[str, Any] = {
            name: properties[source] for source, name in SHARED.items() if properties.get(source)
        } | {"LeadSource": "Web" if properties.get("email") else "Phone Inquiry"}
        if owner := self.users.get(properties.get("hubspot_owner_id", "")):
            values["OwnerId"] = owner
        if "budget" in properties:
            values["Budget__c"] = float(properties["budget"])
        if "trial_started" in properties:
            values["Trial_Started__c"] = shown(parse_ms(properties["trial_started"]))
        if properties.get("hs_email_optout") == "true":
            values["HasOptedOutOfEmail"] = True
        if "hs_email_hard_bounce_reason_enum" in properties:
            values["EmailBouncedReason"] = "smtp; 550 5.1.1 user unknown"
            values["EmailBouncedDate"] = shown(at_ms)
        kind = self._contact if object_ == "Contact" else self._lead
        return {name: value for name, value in {**values, **kind(properties)}.items() if value is not None}

    def _contact(self, properties: Mapping[str, str]) -> dict[str, Any]:
        sold = "Customer" if properties.get("lifecyclestage") == "customer" else None
        return {
            "AccountId": self.accounts.get(properties.get("associatedcompanyid", "")),
            "MailingCountry": properties.get("country"),
            "Sales_Status__c": CONTACT_STATUS.get(properties.get("hs_lead_status", ""), sold),
        }

    def _lead(self, properties: Mapping[str, str]) -> dict[str, Any]:
        account_id = self.accounts.get(properties.get("associatedcompanyid", ""))
        account = self.org.rows["Account"][account_id].values if account_id else {}
        domain = properties.get("email", "").rpartition("@")[2].partition(".")[0]
        return {
            # Salesforce insists on a company
            "Company": properties.get("company") or domain.replace("-", " ").title() or "Unknown",
            "Country": properties.get("country"),
            "Industry": account.get("Industry"),
            "NumberOfEmployees": account.get("NumberOfEmployees"),
            "AnnualRevenue": account.get("AnnualRevenue"),
            "Status": LEAD_STATUS.get(properties.get("hs_lead_status", ""), "Open - Not Contacted"),
        }


def counterparts(org: Org, world: World) -> Counterparts:
    """Who stands for whom; users and accounts that are missing are made."""
    users = _users(org)
    people = {owner: _user(org, users, *names) for owner, names in world.owners.items()}
    sync_user(org)
    accounts = {row.values["Name"]: row.id for row in org.live("Account")}
    found = {}
    for company in world.tables["companies"].live():
        held = company.now.properties
        if held.get("name"):
            if held["name"] not in accounts:
                at_ms = company.created_ms // 1000 * 1000
                stamp_ms = min(company.now.updated_ms, org.now_ms() - DAY_MS) // 1000 * 1000
                row = org.create("Account", _account(held), created_ms=at_ms, stamp_ms=max(at_ms, stamp_ms))
                accounts[held["name"]] = row.id
            found[str(company.id)] = accounts[held["name"]]
    return Counterparts(
        org=org,
        world=world,
        users=people,
        accounts=found,
    )


def sync_user(org: Org) -> str:
    """The id of the user HubSpot's own sync works as; made when missing."""
    return _user(org, _users(org), "HubSpot", "Sync", SYNC_USER)


def _users(org: Org) -> dict[str, str]:
    """Users by user name, case-folded."""
    return {str(row.values.get("Username", "")).casefold(): row.id for row in org.live("User")}


def _user(org: Org, users: Mapping[str, str], first: str, last: str, email: str) -> str:
    if email.casefold() in users:
        return users[email.casefold()]
    # a sandbox org spoils its users' addresses, so that nobody gets mail from it; the user name stays
    address = f"{email}.invalid" if org.is_sandbox else email
    return org.create("User", {"FirstName": first, "LastName": last, "Username": email, "Email": address}).id


def _account(company: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Name": company["name"],
        "Website": f"https://{company['domain']}" if company.get("domain") else None,
        "Industry": _INDUSTRIES.get(company.get("industry", ""), "Other" if company.get("industry") else None),
        "NumberOfEmployees": int(float(company["numberofemployees"])) if company.get("numberofemployees") else None,
        "AnnualRevenue": int(float(company["annualrevenue"])) if company.get("annualrevenue") else None,
        "BillingCountry": company.get("country"),
        "Type": "Prospect",
    }
