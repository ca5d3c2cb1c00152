"""Compiling: which rules take a touchpoint, the table, the digests."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from scoring.compile import NO_BOUND, SCORING_VERSION, Touchpoint, compile_model
from scoring.digests import digest_of, model_digest
from scoring.model import ScoringModel
from scoring.tables import Tables

RAW = {
    "model": "m",
    "weights": {"fit": 50, "engagement": 50},
    "decays": {"fast": {"linear": "2d"}},
    "fit": {
        "industry": {"weight": 100, "percent": {"Software": 100}},
        "adjust": {"target": {"if": {"domain": {"in_list": "targets"}}, "points": 1.5, "label": "Target"}},
    },
    "engagement": {
        "web": {
            "label": "Web",
            "cap": 10,
            "floor": -5,
            "rules": {
                "demo": {"activity": "form", "where": {"form": {"contains": "demo"}}, "points": 10, "label": "Demo"},
                "any": {
                    "activity": "form",
                    "points": -2,
                    "decay": "fast",
                    "limit": "1 per day each mail",
                    "label": "Any",
                },
            },
        },
        "mail": {
            "label": "Mail",
            "rules": {"open": {"activity": "mail", "points": 1, "limit": "2 per week", "label": "O"}},
        },
    },
    "disqualify": {"rival": {"if": {"industry": "Rival"}, "label": "Rival"}},
}
TABLES = Tables(lists={"targets": frozenset({"acme.example"})})


def point(number, kind, **attributes):
    return Touchpoint(number=number, kind=kind, attributes=attributes)


def compiled(*touchpoints, raw=RAW, tables=TABLES, **options):
    return compile_model(ScoringModel.model_validate(raw), touchpoints, tables, **options)


def taken(model):
    """The entries as {touchpoint: [(rule, value of each)]}."""
    return {
        int(number): list(zip(model.entries.owner[a:b].tolist(), model.entries.value[a:b].tolist(), strict=True))
        for number, a, b in zip(model.entries.numbers, model.entries.starts[:-1], model.entries.starts[1:], strict=True)
    }


def test_touchpoints_are_taken_by_kind_and_where_whatever_their_numbers():
    model = compiled(
        point(900, "form", form=("F1", "Demo request")),
        point(7, "form", form=("F2", "Newsletter")),
        point(4_000_000_000, "mail"),
        point(3, "visit"),
    )
    assert taken(model) == {7: [(1, 0)], 900: [(0, 0), (1, 0)], 4_000_000_000: [(2, 0)]}
    assert model.positive.tolist() == [False, True, True]


def test_the_values_of_each_are_told_apart_by_folded_id_or_else_label():
    model = compiled(
        point(1, "form", mail=("M1", "May")),
        point(2, "form", mail=("m1 ", "June")),  # the same mail, renamed
        point(3, "form", mail=("", "May")),
        point(4, "form", mail=("", "MAY")),
        point(5, "form", mail=("", "")),
        point(6, "form"),  # missing and blank are one value of its own
    )
    values = [value for entries in taken(model).values() for _, value in entries]
    assert [values.index(value) for value in values] == [0, 0, 2, 2, 4, 4]


def test_without_touchpoints_nothing_is_taken():
    model = compiled()
    assert taken(model) == {}
    assert model.entries.owner.dtype == model.entries.starts.dtype == np.int64


def test_the_table_is_filled_up_with_each_rules_last_column():
    assert compiled().table.tolist() == [[10_000_000] * 3, [-2_000_000, -1_000_000, 0], [1_000_000] * 3]


def test_groups_and_parts_are_in_the_order_written():
    model = compiled()
    assert [(g.id, g.first, g.end, g.cap, g.floor) for g in model.groups] == [
        ("web", 0, 2, 10_000_000, -5_000_000),
        ("mail", 2, 3, NO_BOUND, -NO_BOUND),
    ]
    assert [(rule.id, rule.group, rule.label) for rule in model.rules] == [
        ("demo", "web", "Demo"), ("any", "web", "Any"), ("open", "mail", "O")
    ]  # fmt: skip
    assert [(v.name, v.label, v.weight) for v in model.variables] == [("industry", "industry", 100)]
    assert [(a.id, a.points, a.holds({"domain": "Acme.example"}, 0)) for a in model.adjusts] == [
        ("target", 1_500_000, True)
    ]
    assert {per: counts.tolist() for per, counts in model.limits.items()} == {"day": [0, 1, 0], "week": [0, 0, 2]}


def changed(path, value):
    raw = copy.deepcopy(RAW)
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("engagement", "web", "label"), "Site"),
        (("engagement", "web", "rules", "demo", "label"), "Asked"),
        (("fit", "industry", "label"), "Branch"),
        (("fit", "adjust", "target", "label"), "Named account"),
        (("disqualify", "rival", "label"), "Competitor"),
        (("disqualify", "rival", "if"), {"industry": {"is": "Rival"}}),  # written another way
        (("engagement", "web", "cap"), 10.0),
        (("mql",), {}),
        (("levels",), [75, 50, 25]),  # the default
    ],
)
def test_labels_and_ways_of_writing_leave_the_model_digest(path, value):
    before, after = ScoringModel.model_validate(RAW), ScoringModel.model_validate(changed(path, value))
    assert model_digest(before) == model_digest(after)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model",), "n"),
        (("weights",), {"fit": 60, "engagement": 40}),
        (("decays", "fast"), {"linear": "3d"}),
        (("fit", "industry", "percent"), {"Software": 90}),
        (("fit", "industry", "percent"), {"Hardware": 100}),
        (("fit", "industry", "percent"), {"Software": 100, "other": 1}),
        (("fit", "adjust", "target", "points"), 1.6),
        (("fit", "adjust", "target", "if"), {"domain": {"in_list": "others"}}),  # lists count by name
        (("fit", "adjust", "target", "if"), {"domain": {"is": "targets"}}),
        (("engagement", "web", "floor"), None),
        (("engagement", "web", "cap"), 11),
        (("engagement", "web", "rules", "demo", "where"), None),
        (("engagement", "web", "rules", "any", "limit"), "1 per day"),
        (("engagement", "web", "rules", "any", "decay"), None),
        (("engagement", "mail", "rules", "open", "activity"), "mail_opened"),
        (("disqualify", "rival", "if"), {"not": {"industry": "Rival"}}),
        (("grades",), {"A": 80, "B": 50, "C": 25}),
        (("levels",), [76, 50, 25]),
        (("mql",), {"needs": {"fit": 50}}),
        (("mql",), {"needs": {"grade": "B or better"}}),
        (("mql",), {"instant": {"demo": {}}}),
        (("mql",), {"instant": {"demo": {"lasts": "31d"}}}),
        (("mql",), {"leave_below": "never"}),
        (("mql",), {"recycle": {"keep_at_most": 25}}),
        (("mql",), {"lost_for": "ever"}),
        (("audience",), {"industry": "Software"}),
        (("surge",), {"rise": 20, "within": "7d"}),
        (("silence",), {"after": "30d", "take": 5, "every": "7d", "at_most": 30}),
        (("bots",), {"after_delivery": "2s"}),
        (("thirds",), True),
        (("patterns",), {"p": {"all": [{"at_least": 2, "activity": "form"}], "points": 5, "label": "P"}}),
        (("engagement", "web", "match"), "first"),
        (("engagement", "web", "rules", "demo", "from"), "2026-01-01"),
        (("engagement", "web", "rules", "demo", "until"), "2026-01-01"),
        (("engagement", "web", "rules", "demo", "interest"), "demo"),
    ],
)
def test_every_rule_counts_in_the_model_digest(path, value):
    before, after = ScoringModel.model_validate(RAW), ScoringModel.model_validate(changed(path, value))
    assert model_digest(before) != model_digest(after)


def test_a_variable_called_label_counts_in_the_model_digest():
    def model(percent):
        return ScoringModel.model_validate(changed(("fit",), {"label": {"weight": 100, "percent": {"x": percent}}}))

    assert model_digest(model(1)) != model_digest(model(2))


def test_the_run_digest_also_knows_tables_zone_and_the_version_of_the_code():
    base = compiled()
    assert base.run_digest == digest_of([base.model_digest, TABLES.digest, "UTC", SCORING_VERSION])
    lists = {"targets": frozenset({"beta.example"})}
    assert compiled(tables=replace(TABLES, lists=lists)).run_digest != base.run_digest  # the contents of lists
    assert compiled(tables=replace(TABLES, lists=lists)).model_digest == base.model_digest
    assert compiled(time_zone="Europe/Berlin").run_digest != base.run_digest
    assert compiled(tables=replace(TABLES, role_names=frozenset({"info"}))).run_digest != base.run_digest
    assert compiled(point(1, "form")).run_digest == base.run_digest
    assert compiled(time_zone="Europe/Berlin").model_digest == base.model_digest == model_digest(base.model)
    assert len(base.run_digest) == len(base.model_digest) == 16


def test_the_audience_says_whom_the_model_scores():
    assert compiled().audience is None
    audience = compiled(raw=changed(("audience",), {"domain": {"in_list": "targets"}})).audience
    assert (audience({"domain": "Acme.example"}, 0), audience({}, 0)) == (True, False)
    assert "country" in ScoringModel.model_validate(changed(("audience",), {"country": "DE"})).facts_read()


def test_a_list_that_the_tables_lack_stops_compiling():
    with pytest.raises(KeyError, match="targets"):
        compiled(tables=Tables())
