"""What an admin's maps say of fields, activities and sales' word."""

from datetime import UTC, datetime

import pytest

from config.hubspot import HubSpotConnection
from connectors.base import Activity, Attribute
from sync.mapping import digest, map_of, maps_of, meaning_of
from tests.two_crms import HUBSPOT, SALESFORCE, settings_of

AT = datetime(2026, 1, 2, tzinfo=UTC)
WRITTEN = {
    "name": "hubspot",
    "crm": "hubspot",
    "portal": {"id": "1", "production": False},
    "login": {"service_key": "env:HS_TOKEN"},
    "facts": {
        "email": "email",
        "company": {"company": "name", "contact": "company"},
        "owner": {"owner": "email"},
        "hand_off": {
            "contact": "hs_lead_status",
            "values": {"NEW": "new", "CONNECTED": "qualifying", "BAD_TIMING": "recycled", "open deal": "accepted"},
        },
    },
    "activities": {
        "demo_asked": {"from": "form_submissions", "forms": ["f-1", "Demo request"], "keep": {"form": "form"}},
        "form_submitted": {"from": "form_submissions", "keep": {"form": "form", "where": "page"}},
        "mail_clicked": {"from": "email_events", "type": "CLICK", "keep": {"mail": "campaign"}},
        "trial_started": {"from": "date_property", "property": "trial_started"},
        "call_received": {"from": "calls", "where": {"direction": "INBOUND"}},
    },
    "write": {"fields": {"b2b": {"prefix": "lm_", "outputs": ["score", "tier"], "policy": {"tier": "keep"}}}},
}


def settings(**changes):
    return HubSpotConnection.model_validate(WRITTEN | changes)


MAP = map_of(settings())


def activity(source, **attributes):
    named = {name: Attribute(id=id_, label=label) for name, (id_, label) in attributes.items()}
    return Activity(source=source, id="1", at=AT, attributes=named)


#: activity, its kind (None: no kind takes it), what its touchpoint keeps, remark
KINDS = [
    (activity("form_submissions", form=("f-1", "Any")), "demo_asked", {"form": "f-1"}, "named by id"),
    (activity("form_submissions", form=("f-9", "demo REQUEST ")), "demo_asked", {"form": "f-9"}, "named by its label"),
    (activity("form_submissions", form=("f-2", "")), "form_submitted", {"form": "f-2"}, "the next kind that takes it"),
    (
        activity("email_events", type=("CLICK", ""), campaign=("9", "News")),
        "mail_clicked",
        {"mail": "9"},
        "of its type",
    ),
    (activity("email_events", type=("OPEN", ""), campaign=("9", "News")), None, {}, "of another type"),
    (activity("date_property", property=("trial_started", "")), "trial_started", {}, "the property itself"),
    (activity("date_property", property=("need_date", "")), None, {}, "another property"),
    (activity("calls", direction=("INBOUND", "Inbound")), "call_received", {}, "where holds"),
    (activity("calls", direction=("OUTBOUND", "")), None, {}, "where does not hold"),
    (activity("calls"), None, {}, "the attribute is not known"),
    (activity("meetings"), None, {}, "no kind reads this source"),
]


@pytest.mark.parametrize(("one", "kind", "kept", "remark"), KINDS, ids=[row[3] for row in KINDS])
def test_the_first_kind_that_takes_an_activity_has_it(one, kind, kept, remark):
    found = MAP.kind_of(one)
    assert (found.kind if found else None) == kind
    assert {name: attribute.id for name, attribute in (found.attributes if found else {}).items()} == kept


#: what stands in the field, sales' word, remark
WORDS = [
    ("CONNECTED", "qualifying", "as written"),
    ("connected", "qualifying", "in other letters"),
    ("OPEN DEAL", "accepted", "in other letters than the map"),
    ("NEW", None, "nobody has looked: no word"),
    ("SOMETHING", None, "not in the map: no word"),
    (None, None, "empty: no word"),
]


@pytest.mark.parametrize(("value", "word", "remark"), WORDS, ids=[row[2] for row in WORDS])
def test_sales_word_is_what_the_map_makes_of_the_field(value, word, remark):
    assert MAP.word_of("contact", {"hs_lead_status": value}) == word


CLASSES = {"pricing": ["price", "Quote"], "jobs": "job", "other": "*"}


@pytest.mark.parametrize(
    ("text", "kept", "remark"),
    [
        ("Question about PRICES", "pricing", "the text contains a word, whatever its capitals"),
        ("A quote for the new job", "pricing", "the first class that fits"),
        ("Job offer", "jobs", "one word needs no list"),
        ("Lunch", "other", "a star takes every text"),
        ("  ", None, "a blank text is none"),
    ],
)
def test_free_text_is_kept_as_the_class_it_falls_into(text, kept, remark):
    kinds = {"mail": {"from": "email_events", "keep": {"about": "link"}, "classes": {"about": CLASSES}}}
    found = map_of(settings(activities=kinds)).kind_of(activity("email_events", link=(text, text)))
    assert found.attributes == ({} if kept is None else {"about": Attribute(id=kept, label=kept)}), remark


def test_a_text_no_class_takes_is_not_kept():
    kinds = {"mail": {"from": "email_events", "keep": {"about": "link"}, "classes": {"about": {"jobs": "job"}}}}
    assert map_of(settings(activities=kinds)).kind_of(activity("email_events", link=("Lunch", ""))).attributes == {}


def test_only_objects_with_the_field_have_a_word():
    assert MAP.word_of("company", {"hs_lead_status": "CONNECTED"}) is None


def test_values_are_taken_as_they_are_where_the_map_translates_none():
    assert meaning_of(MAP.facts["email"], "a@x.example") == "a@x.example"
    assert meaning_of(MAP.facts["email"], False) is False


def test_inputs_are_the_fields_of_facts_by_object():
    assert MAP.inputs == {
        "contact": {"email", "company", "hs_lead_status"},
        "company": {"name"},
        "owner": {"email"},
    }


def test_outputs_are_prefix_and_name_with_their_policy():
    assert {name: (one.model, one.output, one.policy) for name, one in MAP.outputs.items()} == {
        "lm_score": ("b2b", "score", "overwrite"),
        "lm_tier": ("b2b", "tier", "keep"),
    }


def test_the_digest_changes_with_what_may_change_a_score_and_with_nothing_else():
    facts = WRITTEN["facts"] | {"email": "work_email"}
    activities = {name: WRITTEN["activities"][name] for name in ["form_submitted", "demo_asked"]}
    assert map_of(settings(facts=facts)).digest != MAP.digest
    assert map_of(settings(activities=activities)).digest != MAP.digest, "the order decides which kind has an activity"
    write = {"mode": "live", "fields": {"b2b": {"prefix": "other_", "outputs": ["score"]}}}
    assert map_of(settings(write=write)).digest == MAP.digest


def test_the_digest_changes_with_the_order_of_kinds():
    backwards = dict(reversed(WRITTEN["activities"].items()))
    assert map_of(settings(activities=backwards)).digest != MAP.digest


def test_a_digest_is_sixteen_hex_digits():
    assert len(digest([])) == 16
    assert int(digest([]), 16) >= 0


def both(**more):
    """The maps of a portal and an org."""
    return maps_of(settings_of(**more))


def test_each_map_knows_what_its_connection_says_of_the_others():
    hubspot, salesforce = both(prefer={"title": ("salesforce", "hubspot"), "country": ("salesforce",)})
    assert hubspot.links == {
        ("salesforce", "lead"): "salesforceleadid",
        ("salesforce", "contact"): "salesforcecontactid",
    }
    assert hubspot.salesforce == {"salesforce"}
    assert (hubspot.preferred, salesforce.preferred) == ({"title": 1}, {"title": 0, "country": 0})
    assert (hubspot.order, salesforce.order) == (("contact",), ("contact", "lead"))
    assert (hubspot.linked_only, salesforce.linked_only) == (False, True)
    assert not both(salesforce={"duplicates": "all"})[1].linked_only


def test_fields_of_related_records_are_inputs_of_their_objects():
    salesforce = both()[1]
    assert salesforce.inputs["account"] == {"Name", "BillingCountry"}
    assert salesforce.inputs["individual"] == {"HasOptedOutProfiling"}
    assert "Company" in salesforce.inputs["lead"] - salesforce.inputs["contact"]


def test_a_lead_has_sales_word_and_its_outcomes_are_read():
    salesforce = both()[1]
    assert salesforce.word_of("lead", {"Status": "Working"}) == "qualifying"
    assert salesforce.inputs["outcome"] == {"won", "closed", "closed_on"}
    assert "outcome" not in both(salesforce={"outcomes": None})[1].inputs


def test_a_deals_properties_are_inputs_that_must_be_there():
    outcomes = {"from": "deals", "won": "signed", "pipelines": ["Renewals"]}
    hubspot = both(hubspot={"outcomes": outcomes})[0]
    assert hubspot.inputs["outcome"] == {"won", "closed", "closed_at"}
    assert hubspot.inputs["deal"] == {"signed", "hs_is_closed", "closedate", "pipeline"}
    assert "deal" not in both()[0].inputs


@pytest.mark.parametrize(
    "outcomes",
    [{"from": "deals", "won": "signed"}, {"from": "deals", "closed": "signed"}, {"from": "deals", "pipelines": "A"}],
)
def test_other_settings_of_outcomes_read_them_all_again(outcomes):
    plain, other = (both(hubspot={"outcomes": one})[0] for one in ({"from": "deals"}, outcomes))
    assert plain.asked("outcome") != other.asked("outcome")
    assert plain.asked("contact") == other.asked("contact")
    assert plain.digest != other.digest


def test_link_fields_may_be_missing_and_so_may_optional_facts():
    facts = SALESFORCE["facts"] | {"industry": {"contact": "Account.Industry", "optional": True}}
    hubspot, salesforce = both(salesforce={"facts": facts})
    assert hubspot.optional["contact"] == {"salesforceleadid", "salesforcecontactid"}
    assert salesforce.optional["account"] == {"Industry"}


#: what changes, the maps whose people are read again from the beginning, those whose scores may change, remark
CHANGED = [
    ({"prefer": {"title": ("salesforce",)}}, set(), {"salesforce"}, "a preference"),
    ({"hubspot": {"links": {}}}, {"hubspot"}, set(), "no links"),
    ({"hubspot": {"scope": {"contact": {"country": "Peru"}}}}, {"hubspot"}, set(), "a scope"),
    ({"hubspot": {"facts": HUBSPOT["facts"] | {"city": "city"}}}, {"hubspot"}, {"hubspot"}, "another fact"),
    ({"salesforce": {"outcomes": None}}, set(), {"salesforce"}, "no outcomes"),
    ({"salesforce": {"duplicates": "all"}}, set(), set(), "which duplicates are written"),
]


@pytest.mark.parametrize(("more", "read", "scored", "remark"), CHANGED, ids=[row[3] for row in CHANGED])
def test_what_a_change_of_the_settings_asks_again(more, read, scored, remark):
    pairs = list(zip(both(), both(**more), strict=True))
    assert {new.connection for old, new in pairs if old.asked("contact") != new.asked("contact")} == read, remark
    assert {new.connection for old, new in pairs if old.digest != new.digest} == scored, remark
