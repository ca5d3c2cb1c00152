"""Whoever is in both CRMs: a golden case made of them passes."""

import pytest

from sync.answers.explain import scoring_of
from sync.answers.golden_add import made_of
from sync.store import tables
from tests.acceptance.conftest import BOTH


@pytest.mark.exhaustive
def test_a_case_made_of_any_character_passes(portals):
    one = portals(400, crms=BOTH, org_people=400)
    one.sync()
    rows = one.rows(tables.record, tables.record.c.person.is_not(None), tables.record.c.state == "live")
    with one.runtime.store.begin() as tx:
        scoring = scoring_of(tx, one.runtime.settings, one.runtime.now())
        made = [made_of(tx, number, scoring, one.runtime.settings) for number in sorted({row.person for row in rows})]
    cases = [case for case in made if case is not None]
    assert len(cases) > 400
    assert not [(case.text, case.misses, case.unlike) for case in cases if case.misses or case.unlike]
    statuses = {case.file.rpartition("-")[2] for case in cases}
    assert statuses >= {"suspect", "prospect", "mql", "recycled", "disqualified"}
