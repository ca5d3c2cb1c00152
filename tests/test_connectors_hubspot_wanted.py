import pytest
from pydantic import ValidationError

from connectors.base import Stream
from connectors.hubspot.wanted import wanted
from tests.connector_stages import hubspot_settings

URL = "http://127.0.0.1:1"


def test_streams_follow_the_configuration_in_order():
    asked = wanted(hubspot_settings(URL), ["leadmark_score"])
    assert asked.streams() == (
        Stream(name="owners", object="owner"),
        Stream(name="companies", object="company"),
        Stream(name="contacts", object="contact"),
        Stream(name="deals", object="outcome"),
        Stream(name="form:demo-request"),
        Stream(name="email_events"),
        Stream(name="list:Visited pricing"),
        Stream(name="emails"),
        Stream(name="calls"),
        Stream(name="meetings"),
    )


def test_without_outcomes_and_activities_only_contacts_are_read():
    asked = wanted(hubspot_settings(URL, facts={"title": "jobtitle"}, activities={}, outcomes=None), [])
    assert asked.streams() == (Stream(name="contacts", object="contact"),)


def test_only_mapped_properties_are_asked_for_each_once():
    settings = hubspot_settings(
        URL,
        facts={
            "title": "jobtitle",
            "role": "jobtitle",
            "size": {"company": "numberofemployees", "contact": "numemployees"},
        },
    )
    asked = wanted(settings, ["leadmark_score", "leadmark_tier"])
    assert asked.fields == {
        "contact": ("jobtitle", "numemployees", "trial_started", "leadmark_score", "leadmark_tier"),
        "company": ("numberofemployees",),
        "deal": ("hs_is_closed_won", "hs_is_closed", "closedate"),
    }
    assert asked.outputs == ("leadmark_score", "leadmark_tier")


def test_types_of_mail_events_are_those_of_all_kinds_and_all_when_one_names_none():
    clicked = {"from": "email_events", "type": "CLICK"}
    opened = {"from": "email_events", "type": ["OPEN", "CLICK"], "keep": {"mail": "campaign"}}
    both = wanted(hubspot_settings(URL, activities={"a": clicked, "b": opened}), [])
    assert (both.event_types, both.mail_names) == (frozenset({"CLICK", "OPEN"}), True)
    every = wanted(hubspot_settings(URL, activities={"a": clicked, "b": {"from": "email_events"}}), [])
    assert (every.event_types, every.mail_events, every.mail_names) == (frozenset(), True, False)


def test_a_form_or_list_of_two_kinds_is_one_stream():
    kinds = {
        "a": {"from": "lists", "lists": ["L", "M"]},
        "b": {"from": "lists", "lists": ["M"]},
    }
    assert wanted(hubspot_settings(URL, activities=kinds), []).lists == ("L", "M")


def test_of_a_deal_only_what_says_its_outcome_is_asked():
    outcomes = {"from": "deals", "won": "signed", "closed": "signed", "pipelines": "Renewals"}
    asked = wanted(hubspot_settings(URL, outcomes=outcomes), [])
    assert asked.fields["deal"] == ("signed", "closedate", "pipeline")


def test_a_deals_property_has_its_internal_name():
    with pytest.raises(ValidationError, match="is no internal name"):
        hubspot_settings(URL, outcomes={"from": "deals", "won": "Is Won"})
