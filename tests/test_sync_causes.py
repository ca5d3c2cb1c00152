"""Why a status changed: only what people do and what is known of them raises a cause that may alert anyone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from connectors.base import Attribute
from scoring import compile as compiling
from sync.decisions import RECENT_DAYS
from sync.store import tables
from tests.desk_of_two import Desk
from tests.two_crms import MODEL, contact_id, form, record, task

ASKED = MODEL | {
    "fit": {"title": {"weight": 100, "percent": {"Director": 100, "Buyer": 40}}},
    "decays": {"month": {"linear": "30d"}},
    "engagement": {
        "asked": {
            "label": "Asked",
            "cap": 100,
            "rules": {
                "demo": {
                    "activity": "form_submitted",
                    "where": {"form": "Demo"},
                    "points": 60,
                    "decay": "month",
                    "label": "Asked for a demo",
                },
                "paper": {
                    "activity": "form_submitted",
                    "where": {"form": {"contains": "paper"}},
                    "points": 100,
                    "decay": "month",
                    "label": "Took a paper",
                },
                "met": {"activity": "task_done", "points": 100, "decay": "month", "label": "Met us"},
            },
        }
    },
    "mql": {"needs": {"engagement": 70}, "instant": {"demo": {"lasts": "30d"}}},
}
KEEP = {"form_submitted": {"from": "form_submissions", "keep": {"form": "form"}}}


def filled(id_, *records, name="Demo", days=0, label=None, changed=None):
    """A form of this name that somebody sent in."""
    sent = form(id_, *records, days=days)
    return replace(sent, attributes={"form": Attribute(id=name, label=label or name)}, changed_at=changed or sent.at)


def desk_of(folder, model=None, **more):
    hubspot = {"activities": KEEP} | more.pop("hubspot", {})
    return Desk(folder, models={"b2b": model or ASKED}, hubspot=hubspot, **more)


@pytest.fixture
def desk(tmp_path):
    """A portal whose people were scored a week ago."""
    opened = desk_of(tmp_path)
    for number in range(1, 4):
        opened.hub.put(record("contact", str(number), jobtitle="Buyer"))
    opened.hub.act("forms", filled("old", "3", name="White paper", days=1))
    opened.run()
    opened.later(days=7)
    opened.run()
    yield opened
    opened.close()


def steps(desk, person=None):
    """(status, cause) of every change, oldest first."""
    return [(row.to_status, row.cause) for row in desk.rows(tables.transition) if person in (None, row.person)]


def act(desk, *activities):
    """What happened since the last pass, by the desk's clock."""
    for one in activities:
        desk.hub.act("forms", one)
    desk.run()


def now(desk, activity, **span):
    at = desk.now - timedelta(**span)
    return replace(activity, at=at, changed_at=max(at, activity.changed_at or at))


def test_a_first_run_has_the_cause_first(desk):
    assert {cause for _, cause in steps(desk)[:3]} == {"first"}


def test_a_new_lead_that_asks_for_a_demo_is_an_mql_by_activity(desk):
    desk.later(minutes=5)
    desk.hub.put(record("contact", "9", jobtitle="Buyer", created_at=desk.now))
    act(desk, now(desk, filled("f9", "9")))
    assert steps(desk)[-1] == ("mql", "activity")
    assert desk.shown(desk.hub, "contact", "9", "mql_status") == "MQL"


def test_one_who_is_known_and_asks_for_a_demo_is_an_mql_by_activity(desk):
    desk.later(minutes=5)
    act(desk, now(desk, filled("f1", "1")))
    assert steps(desk, 1)[-1] == ("mql", "activity")


def test_an_import_of_old_activities_alerts_nobody(desk):
    """Typed in today, done three weeks ago."""
    desk.later(minutes=5)
    imported = [now(desk, filled(f"i{number}", str(number), changed=desk.now), days=20) for number in (1, 2)]
    act(desk, *imported)
    assert [steps(desk, number)[-1] for number in (1, 2)] == [("mql", "backfill")] * 2


def test_a_known_activity_that_changes_now_is_news_though_it_is_older(tmp_path):
    """Somebody who was invited weeks ago attends today, and the CRM keeps the old date."""
    desk = desk_of(tmp_path, ASKED | {"mql": {"needs": {"engagement": 40}}})
    desk.hub.put(record("contact", "1", jobtitle="Buyer"))
    desk.hub.act("forms", filled("f1", "1", name="Invitation", days=5))
    desk.run()
    desk.later(days=1)
    attended = now(desk, filled("f1", "1", name="White paper"), days=6)
    act(desk, replace(attended, changed_at=desk.now))
    assert steps(desk)[-1] == ("mql", "activity")
    desk.close()


def test_what_is_read_for_the_first_time_from_a_new_connection_alerts_nobody(tmp_path):
    """The org is connected a month later: its tasks of yesterday and its facts make MQLs."""
    asked = ASKED | {"mql": {"needs": {"engagement": 70}, "instant": {"met": {"lasts": "30d"}}}}
    alone = desk_of(tmp_path, asked | {"engagement": ASKED["engagement"]})
    for number in ("1", "2"):
        alone.hub.put(record("contact", number, jobtitle="Buyer", salesforcecontactid=contact_id(int(number))))
    alone.open = alone.open[:1]
    alone.settings = alone.settings.model_copy(update={"connections": alone.settings.connections[:1]})
    alone.run()
    alone.later(days=30)
    alone.run()
    alone.close()
    both = desk_of(tmp_path, asked)
    both.now = alone.now + timedelta(days=1)  # scored last the day before
    for number in ("1", "2"):
        both.hub.put(alone.hub.held("contact", number))
    for number in (1, 2, 3):
        both.org.put(record("contact", contact_id(number), Title="Director"))
        both.org.act("Task", now(both, task(f"t{number}", contact_id(number)), hours=2 if number == 1 else 24))
    both.run()
    causes = [row.cause for row in both.rows(tables.transition)]
    assert len(causes) > 3
    assert {row.to_status for row in both.rows(tables.transition)} >= {"mql"}
    assert not {"activity", "facts"}.intersection(causes)
    both.later(minutes=5)
    both.org.put(record("contact", contact_id(4), Title="Buyer", created_at=both.now))
    both.org.act("Task", now(both, task("t9", contact_id(4))))
    both.run()
    assert steps(both)[-1] == ("mql", "activity"), "what comes after the first read is news"
    both.close()


def test_a_renamed_campaign_alerts_nobody(desk):
    desk.later(minutes=5)
    act(desk, now(desk, filled("f1", "1", name="F7", label="Webinar May"), days=1))
    assert steps(desk, 1)[-1][0] == "suspect"
    desk.later(minutes=5)
    renamed = now(desk, filled("f2", "2", name="F7", label="White paper May"), days=20)
    act(desk, replace(renamed, changed_at=renamed.at))
    assert steps(desk, 1)[-1] == ("mql", "model")


def test_a_code_upgrade_alerts_nobody(desk, monkeypatch):
    """Another version of the code scores everybody anew; what changes by it is nobody's deed."""
    desk.later(days=20)
    monkeypatch.setattr(compiling, "SCORING_VERSION", compiling.SCORING_VERSION + 1)
    desk.run()
    assert steps(desk, 3)[-1] == ("prospect", "model")


def test_whom_another_audience_lets_in_is_no_news(tmp_path):
    """They came long after the first pull, and asked for a demo yesterday."""
    narrow = desk_of(tmp_path, ASKED | {"audience": {"country": "AT"}})
    narrow.hub.put(record("contact", "1", jobtitle="Buyer", country="AT"))
    narrow.run()
    narrow.later(days=30)
    came = record("contact", "2", jobtitle="Buyer", country="DE", created_at=narrow.now)
    narrow.hub.put(came)
    narrow.hub.act("forms", now(narrow, filled("f2", "2"), days=1))
    narrow.run()
    narrow.close()
    wide = desk_of(tmp_path, ASKED | {"audience": {"country": ["AT", "DE"]}})
    wide.now = narrow.now + timedelta(hours=1)
    wide.hub.put(narrow.hub.held("contact", "1"))
    wide.hub.put(narrow.hub.held("contact", "2"))
    wide.run()
    assert steps(wide, 2) == [("mql", "first")]
    wide.close()


def another(desk, tmp_path, model):
    """The same installation with another model, the same contacts in the portal."""
    contacts = [row for row in desk.rows(tables.record) if row.object == "contact"]
    desk.close()
    after = desk_of(tmp_path, model)
    after.now = desk.now
    for row in contacts:
        after.hub.put(desk.hub.held("contact", row.crm_id))
    return after


def test_whoever_came_since_the_last_pass_is_news_to_any_audience(tmp_path):
    narrow = desk_of(tmp_path, ASKED | {"audience": {"country": "AT"}})
    narrow.hub.put(record("contact", "1", jobtitle="Buyer", country="AT"))
    narrow.run()
    narrow.later(days=1)
    wide = another(narrow, tmp_path, ASKED | {"audience": {"country": ["AT", "DE"]}})
    wide.hub.put(record("contact", "2", jobtitle="Buyer", country="AT", created_at=wide.now - timedelta(hours=20)))
    wide.hub.act("forms", now(wide, filled("f2", "2"), hours=2))
    wide.run()
    assert steps(wide, 2) == [("mql", "activity")]
    wide.close()


def test_a_model_that_was_away_finds_nobody_new(tmp_path):
    first = desk_of(tmp_path)
    first.hub.put(record("contact", "1", jobtitle="Buyer"))
    first.run()
    first.later(days=1)
    first.close()
    between = Desk(
        tmp_path,
        hubspot={"activities": KEEP, "write": {"fields": {}}},
        salesforce={"write": {"fields": {}}},
        models={"other": ASKED | {"model": "other"}},
    )
    between.settings = between.settings.model_copy(update={"primary": "other"})
    between.now = first.now
    between.hub.put(first.hub.held("contact", "1"))
    between.hub.put(record("contact", "2", jobtitle="Buyer", created_at=between.now))
    between.hub.act("forms", now(between, filled("f2", "2")))
    between.run()
    between.later(days=1)
    back = another(between, tmp_path, ASKED)
    back.run()
    assert [(row.model, row.cause) for row in back.rows(tables.transition) if row.person == 2] == [
        ("other", "activity"),
        ("b2b", "first"),
    ]
    back.close()


def test_a_store_that_knows_of_no_beginning_has_long_begun(tmp_path):
    """As after an upgrade: a new lead that asks for a demo is news."""
    desk = desk_of(tmp_path)
    desk.hub.put(record("contact", "1", jobtitle="Buyer"))
    desk.run()
    with desk.store.begin() as tx:
        tx.execute(delete(tables.meta).where(tables.meta.c.name.in_(["audience:b2b", "scored_at"])))
    desk.later(days=1)
    desk.hub.put(record("contact", "2", jobtitle="Buyer", created_at=desk.now - timedelta(hours=1)))
    act(desk, now(desk, filled("f2", "2"), hours=1))
    assert steps(desk, 2) == [("mql", "activity")]
    desk.close()


def test_fading_alone_is_decay(desk):
    desk.later(days=20)
    desk.run()
    assert steps(desk, 3)[-1] == ("prospect", "decay")


def test_what_is_learned_of_somebody_is_facts(tmp_path):
    desk = desk_of(tmp_path, ASKED | {"mql": {"needs": {"fit": 80}}})
    desk.hub.put(record("contact", "1", jobtitle="Buyer"))
    desk.run()
    desk.later(days=3)
    desk.change(desk.hub, "contact", "1", jobtitle="Director")
    desk.run()
    assert steps(desk)[-1] == ("mql", "facts")
    desk.close()


def test_sales_word_is_sales(desk):
    desk.change(desk.hub, "contact", "1", hs_lead_status="OPEN")
    desk.run()
    assert steps(desk, 1)[-1] == ("qualifying", "sales")


def test_an_activity_just_older_than_recent_is_backfill(desk):
    desk.later(hours=1)
    act(desk, now(desk, filled("f1", "1"), days=RECENT_DAYS), now(desk, filled("f2", "2"), days=RECENT_DAYS + 1))
    assert (steps(desk, 1)[-1], steps(desk, 2)[-1]) == (("mql", "activity"), ("mql", "backfill"))
