from typing import Any

import pytest

from connectors.salesforce.wanted import wanted
from tests.connector_stages import salesforce_settings

OUTPUTS = ["Leadmark_Score__c", "Leadmark_Tier__c"]
PLAIN: dict[str, Any] = {"facts": {"title": "Title"}, "activities": {}, "outcomes": None}


def test_everything_asked_for_once_in_order():
    asked = wanted(salesforce_settings(), [*OUTPUTS, OUTPUTS[0]])
    assert asked.fields == {
        "lead": ("Title", "Industry", *OUTPUTS),
        "contact": ("Title", *OUTPUTS),
        "account": ("Industry",),
        "user": ("Email",),
        "individual": ("HasOptedOutProfiling",),
    }
    assert asked.optional == {"individual": frozenset({"HasOptedOutProfiling"})}
    assert asked.outputs == tuple(OUTPUTS)
    assert asked.attributes == {
        "CampaignMember": ("Campaign", "Campaign.Type"),
        "Task": ("TaskSubtype", "CallDisposition"),
        "Event": ("IsAllDayEvent",),
    }
    assert asked.authored == {"Task"}
    assert asked.campaign_fields == ("Name", "Type")


@pytest.mark.parametrize(
    ("settings", "streams", "remark"),
    [
        (PLAIN, ["leads", "contacts"], "both kinds of people, whatever is mapped"),
        (PLAIN | {"facts": {"rep": "Owner.Name"}}, ["users", "leads", "contacts"], "whom a fact follows"),
        (PLAIN | {"facts": {"size": {"contact": "Account.NumberOfEmployees"}}}, ["accounts", "leads", "contacts"], ""),
        (
            PLAIN | {"outcomes": {"from": "OpportunityContactRole"}},
            ["leads", "contacts", "opportunities", "outcomes"],
            "records before activities",
        ),
        (
            PLAIN | {"activities": {"came": {"from": "CampaignMember"}}},
            ["leads", "contacts", "CampaignMember"],
            "no campaign is asked for",
        ),
        (
            PLAIN | {"activities": {"came": {"from": "CampaignMember", "where": {"Campaign.Type": "Webinar"}}}},
            ["leads", "contacts", "campaigns", "CampaignMember"],
            "a campaign's type chooses",
        ),
        (
            PLAIN | {"activities": {"trial": {"from": "date_field", "field": "Trial_Started__c"}}},
            ["leads", "contacts"],
            "dates come with people",
        ),
        (
            {},
            [
                "users",
                "individuals",
                "accounts",
                "leads",
                "contacts",
                "opportunities",
                "outcomes",
                "campaigns",
                "CampaignMember",
                "Task",
                "Event",
            ],
            "everything",
        ),
    ],
)
def test_streams(settings: dict[str, Any], streams: list[str], remark: str):
    asked = wanted(salesforce_settings(**settings), OUTPUTS)
    assert [stream.name for stream in asked.streams()] == streams, remark


def test_scope_links_and_dates_are_fields_of_people():
    settings = salesforce_settings(
        **PLAIN
        | {
            "scope": {"lead": {"all": [{"RecordType.DeveloperName": "Sales"}, {"Company": {"contains": "Acme"}}]}},
            "links": {"hubspot": {"contact": "HubSpot_ID__c"}},
            "activities": {"trial": {"from": "date_field", "field": "Trial_Started__c"}},
        }
    )
    asked = wanted(settings, OUTPUTS)
    assert asked.fields["lead"] == ("Title", "Company", "HubSpot_ID__c", "Trial_Started__c", *OUTPUTS)
    assert asked.fields["contact"] == ("Title", "HubSpot_ID__c", "Trial_Started__c", *OUTPUTS)
    assert asked.paths == {"lead": ("RecordType.DeveloperName",)}
    assert asked.date_fields == ("Trial_Started__c",)


def test_a_field_that_one_fact_needs_is_needed():
    facts = {"a": {"contact": "Budget__c", "optional": True}, "b": {"contact": "Budget__c"}}
    assert wanted(salesforce_settings(**PLAIN | {"facts": facts}), OUTPUTS).optional["contact"] == frozenset()
