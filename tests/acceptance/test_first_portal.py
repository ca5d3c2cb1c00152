"""What an admin meets on the first day with a portal of their own."""

from sync.store import tables


def test_every_form_and_list_that_is_not_there_is_named_at_once_and_the_rest_is_read(portals):
    activities = {
        "webinar_registered": {"from": "form_submissions", "forms": ["Spring webinar"], "keep": {"form": "form"}},
        "list_joined": {"from": "lists", "lists": ["Visited pricing", "Visited jobs"], "keep": {"list": "list"}},
    }
    portal = portals(5, connection={"activities": activities})
    report = portal.run()
    assert report.state == "parked"
    assert "no form “Spring webinar”" in report.reason
    assert "no list “Visited jobs”" in report.reason
    assert portal.rows(tables.journey) == [], "nobody is scored on half of what they did"
    assert len(portal.rows(tables.record, tables.record.c.object == "contact")) == 5


def test_a_store_is_not_shared_by_two_portals(portals):
    portal = portals(5)
    portal.live()
    portal.world.portal_id = 4343
    portal.configure(connection={"portal": {"id": "4343"}})
    before = portal.rows(tables.record)
    with portal.requests() as seen:
        report = portal.run()
    assert report.state == "parked"
    assert "holds the records of account 4242" in report.reason
    assert len(seen) == 1
    assert portal.rows(tables.record) == before


def test_a_portal_that_suddenly_shows_nobody_is_parked_and_nobody_is_rescored(portals):
    portal = portals(5)
    portal.live()
    for contact in portal.contacts():
        portal.archive(contact)
    report = portal.run(full=True)
    assert report.state == "parked"
    assert "suddenly shows no contacts at all, the store knows 5" in report.reason
    assert (report.scored, report.planned) == (0, 0)


def test_an_empty_portal_is_no_reason_to_stop(portals):
    assert portals().run().state == "ok"
