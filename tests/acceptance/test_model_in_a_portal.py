"""What a model asks of the store: what is new, since when sales hands back, and which clicks no person made."""

from datetime import timedelta

from connectors.emulator.clock import to_ms
from sync.answers.explain import scoring_of
from sync.answers.happenings import happenings

MODEL = {
    "mql": {"instant": {"demo": {"grade": "D or better"}}, "recycle": {"keep_at_most": 5}},
    "bots": {"clicks_closer_than": "2s"},
}


def shown(portal, contact, name):
    return portal.contact(contact).get(f"leadmark_{name}")


def asks(portal, contact):
    """Somebody asks for a demo, and a minute later a pass runs."""
    portal.happen(kind="form_submission", form="demo-request", contact=contact)
    portal.advance(minutes=1)
    portal.live()


def test_a_demo_request_is_news_even_on_the_day_of_another_model(portal):
    ann = portal.add(email="ann@x.example", jobtitle="VP Sales")
    portal.settle()
    portal.configure(model=MODEL)
    asks(portal, ann)
    assert (shown(portal, ann, "mql_status"), shown(portal, ann, "mql_cause")) == ("MQL", "activity")


def test_after_a_recycle_old_points_are_limited_and_something_new_makes_an_mql_again(portal):
    ann = portal.add(email="ann@x.example", jobtitle="VP Sales")
    portal.configure(model=MODEL)
    portal.settle()
    asks(portal, ann)
    assert shown(portal, ann, "mql_status") == "MQL"
    assert int(shown(portal, ann, "engagement")) > 5
    portal.advance(hours=1)
    portal.edit(ann, hs_lead_status="BAD_TIMING")
    portal.live()
    assert shown(portal, ann, "mql_status") == "Recycled"
    assert int(shown(portal, ann, "engagement")) == 5
    portal.advance(days=1)
    asks(portal, ann)
    assert (shown(portal, ann, "mql_status"), shown(portal, ann, "mql_count")) == ("MQL", "2")


def test_the_timeline_says_which_clicks_no_person_made(portal):
    ann = portal.add(email="ann@x.example", jobtitle="VP Sales")
    portal.configure(model=MODEL)
    mail = next(iter(portal.world.mail.campaigns))
    now = portal.world.clock.now()
    for at in (now - timedelta(hours=5), now - timedelta(hours=3), now - timedelta(hours=3) + timedelta(seconds=1)):
        portal.world.mail.add("CLICK", "ann@x.example", mail, to_ms(at))
    portal.settle()
    person = portal.row(ann).person
    with portal.runtime.store.begin() as tx:
        scoring = scoring_of(tx, portal.runtime.settings, portal.world.clock.now())
        told, newest = happenings(tx, person, scoring), happenings(tx, person, scoring, 2)
    assert [one.how for one in told] == ["bot", "bot", "counted"]
    assert list(newest) == list(told)[:2]
