"""Metrics count what passes did and show what stands now; their text is what the documentation promises."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from sync.metrics import Metrics, Standing
from sync.report import ConnectionReport, RunReport

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def samples(metrics):
    """(name, labels) -> value, of our own metrics."""
    return {
        (sample.name.removeprefix("leadmark_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.page().body.decode())
        for sample in family.samples
        if sample.name.startswith("leadmark_") and not sample.name.endswith(("_created", "_bucket"))
    }


def report(took=MINUTE, scored=0, **connections):
    return RunReport(pass_id="p", started_at=NOW, ended_at=took and NOW + took, scored=scored, connections=connections)


def test_passes_add_up():
    metrics = Metrics(now=lambda: NOW)
    first = ConnectionReport(state="ok", written=7, rejected=2, calls=12, scored=40)
    metrics.count(report(scored=40, hubspot=first))
    metrics.count(
        report(
            scored=3,
            hubspot=ConnectionReport(state="parked", calls=1, scored=3),
            salesforce=ConnectionReport(written=1, calls=9, scored=3),
        )
    )
    found = samples(metrics)
    assert {key: found[key] for key in found if key[0] in {"passes_total", "records_written_total"}} == {
        ("passes_total", "hubspot", "ok"): 1,
        ("passes_total", "hubspot", "parked"): 1,
        ("passes_total", "salesforce", "ok"): 1,
        ("records_written_total", "hubspot"): 7,
        ("records_written_total", "salesforce"): 1,
    }
    assert found["records_refused_total", "hubspot"] == 2
    assert found["calls_total", "hubspot"] == 13
    assert found["scored_total",] == 43, "persons, not persons times connections"
    assert (found["pass_seconds_count",], found["pass_seconds_sum",]) == (2, 120)


def test_a_pass_that_was_cut_has_no_length():
    metrics = Metrics(now=lambda: NOW)
    metrics.count(report(took=None, hubspot=ConnectionReport()))
    assert samples(metrics)["pass_seconds_count",] == 0


def test_failures_are_counted_by_their_type():
    metrics = Metrics(now=lambda: NOW)
    for error in (KeyError("ann@acme.example"), KeyError("x"), ValueError()):
        metrics.count_failure(error)
    found = samples(metrics)
    assert (found["failures_total", "KeyError"], found["failures_total", "ValueError"]) == (2, 1)
    assert b"acme" not in metrics.page().body


def test_what_stands_now_is_shown_and_what_is_gone_is_not():
    at = [NOW]
    metrics = Metrics(now=lambda: at[0])
    metrics.standing = Standing(
        good_at={"hubspot": NOW - 5 * MINUTE, "salesforce": NOW + MINUTE},
        held={"hubspot": True, "salesforce": False},
        quarantined={"hubspot": 3, "salesforce": 0},
        duplicates=4,
        config_ok=False,
        paused=True,
    )
    found = samples(metrics)
    assert found["last_good_pass_age_seconds", "hubspot"] == 300
    assert found["last_good_pass_age_seconds", "salesforce"] == 0, "a clock that was set back is no age"
    assert (found["lease_held", "hubspot"], found["lease_held", "salesforce"]) == (1, 0)
    assert found["quarantined", "hubspot"] == 3
    assert (found["duplicates",], found["config_ok",], found["paused",]) == (4, 0, 1)
    at[0] += MINUTE
    assert samples(metrics)["last_good_pass_age_seconds", "hubspot"] == 360, "it grows while nothing happens"
    metrics.standing = Standing(good_at={"salesforce": NOW})
    assert not any("hubspot" in key for key in samples(metrics)), "a connection taken out of the config"


def test_two_workers_of_one_process_count_apart():
    one, other = Metrics(now=lambda: NOW), Metrics(now=lambda: NOW)
    one.count(report(hubspot=ConnectionReport()))
    assert ("passes_total", "hubspot", "ok") not in samples(other)


def test_every_metric_is_documented_with_its_labels():
    metrics = Metrics(now=lambda: NOW)
    metrics.count(report(hubspot=ConnectionReport()))
    metrics.count_failure(ValueError())
    metrics.standing = Standing(good_at={"hubspot": NOW}, held={"hubspot": True}, quarantined={"hubspot": 0})
    there = {
        (
            family.name + ("_total" if family.type == "counter" else ""),
            *sorted(family.samples[0].labels.keys() - {"le"}),
        )
        for family in text_string_to_metric_families(metrics.page().body.decode())
        if family.name.startswith("leadmark_") and not family.name.endswith("_created")
    }
    page = (Path(__file__).parents[1] / "docs" / "worker.md").read_text()
    rows = re.findall(r"^\| `(leadmark_\w+)` \| (.*?)\|", page, re.MULTILINE)
    assert {(name, *sorted(re.findall(r"`(\w+)`", labels))) for name, labels in rows} == there
