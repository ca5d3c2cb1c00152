"""A store with people of both CRMs and their activities, for the commands that look at everybody."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert

from connectors.base import Activity, Attribute
from scoring.model import ScoringModel
from scoring.tables import Tables
from sync.answers.explain import scoring_of
from sync.beginnings import FIRST_COMPLETE
from sync.store.store import open_store, set_meta
from sync.store.tables import journey as journeys
from sync.store.values import dump
from tests import two_crms
from tests.two_crms import NOW, both, settings_of

FILE = "leadmark.sqlite3"
HUBSPOT = {
    "facts": {
        **two_crms.HUBSPOT["facts"],
        "owner": {"owner": "email"},
        "employees": {"company": "numberofemployees"},
        "notes": "notes",
    },
    "activities": {
        "form_submitted": {"from": "form_submissions", "keep": {"form": "form", "page": "page"}},
        "list_joined": {"from": "lists", "keep": {"list": "list"}},
        "email_opened": {"from": "email_events", "keep": {"mail": "mail"}},
    },
}
MODEL = {
    "model": "b2b",
    "weights": {"fit": 50, "engagement": 50},
    "decays": {"week": {"steps": {"7d": "100%"}}},
    "fit": {
        "country": {"weight": 60, "label": "Country", "percent": {"Norway": 100, "Peru": 50, "other": 10}},
        "employees": {"weight": 40, "label": "Size", "percent": {"1-49": 20, "50+": 100}},
        "adjust": {"private": {"if": {"email_type": "free"}, "points": -10, "label": "Private address"}},
    },
    "engagement": {
        "web": {
            "label": "Web",
            "rules": {
                "demo": {"activity": "form_submitted", "where": {"form": "Demo"}, "points": 60, "label": "Demo"},
                "pricing": {"activity": "list_joined", "points": 10, "decay": "week", "label": "Looked at prices"},
                "gone": {"activity": "form_submitted", "where": {"form": "Gone"}, "points": 5, "label": "Old form"},
            },
        }
    },
    "patterns": {
        "often": {"all": [{"at_least": 3, "activity": "form_submitted", "within": "7d"}], "points": 5, "label": "Often"}
    },
    "disqualify": {"no": {"if": {"country": "Nowhere"}, "label": "From nowhere"}},
    "mql": {"needs": {"score": 50}},
}  # fmt: skip


def world(folder, *models, hubspot=None, tables=None):
    """An empty store of both CRMs, both read as a whole, scored by these models, the first the primary one."""
    written = models or (MODEL,)
    parsed = {one["model"]: ScoringModel.model_validate(one) for one in written}
    settings = settings_of(folder, hubspot=hubspot or HUBSPOT).model_copy(
        update={
            "models": parsed,
            "primary": written[0]["model"],
            "model_texts": dict.fromkeys(parsed, ""),
            "tables": tables or Tables(),
        }
    )
    (folder / "store").mkdir(parents=True)
    (folder / "store" / FILE).write_bytes(_empty_store())
    found = both(folder, settings=settings)
    with found.store.begin() as tx:
        for name in ("hubspot", "salesforce"):
            set_meta(tx, FIRST_COMPLETE + name, "0")
    return found


@cache
def _empty_store():
    """The file of a store with its tables, made once: migrating takes most of a small world's time."""
    with TemporaryDirectory() as folder:
        open_store(folder).close()
        return (Path(folder) / FILE).read_bytes()


def did(source, id_, person, *, days=1, **attributes):
    """Something a contact of the portal did; an attribute is its label, its id that in lower case."""
    return Activity(
        source=source,
        id=id_,
        at=NOW - timedelta(days=days),
        records=(person,),
        attributes={name: Attribute(id=label.lower(), label=label) for name, label in attributes.items()},
    )


def scorings(town):
    """What each model needs, the primary one first."""
    with town.store.begin() as tx:
        return [scoring_of(tx, town.settings, NOW, name) for name in town.settings.models]


def stands(town, crm_id, status="prospect", score=10, *, model="b2b", resting=False, **journey):
    """Puts down where a person stands, as a pass leaves it."""
    person = town.person_of(crm_id)
    whole = {"status": status, "since": "2026-11-03", "cause": "facts", **journey}
    row = {"person": person, "model": model, "status": status, "score": score, "tier": "B2", "cause": "facts"}
    with town.store.begin() as tx:
        tx.execute(insert(journeys).values(**row, journey=dump(whole), scored_on="2026-11-20", resting=resting))
