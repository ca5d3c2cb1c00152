"""The metrics of a worker, for Prometheus. Labels are names of connections and states, never anything of a person.

Counters count since this process began. What stands now is one value, ``Standing``, replaced after each pass.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from sync.health import Answer
from sync.report import RunReport

BUCKETS_S = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands, by connection where it is a mapping."""

    #: when the last pass began that did all it was to do; before the first one, when this worker began
    good_at: Mapping[str, datetime] = field(default_factory=dict)
    held: Mapping[str, bool] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    config_ok: bool = True
    paused: bool = False


class Metrics(Collector):
    """What is counted, and what stands now."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        """Nothing counted yet."""
        self._now = now
        self.standing = Standing()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._passes = self._counter("passes", "Passes, by connection and how they ended.", "connection", "state")
        self._written = self._counter("records_written", "Records written.", "connection")
        self._refused = self._counter("records_refused", "Records a CRM refused.", "connection")
        self._calls = self._counter("calls", "Calls made to a CRM.", "connection")
        self._scored = self._counter("scored", "Persons scored.")
        self._failures = self._counter("failures", "Passes that an error cut, by its type.", "type")
        self._seconds = Histogram(
            "leadmark_pass_seconds", "How long a pass takes.", buckets=BUCKETS_S, registry=self._registry
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"leadmark_{name}", what, labels, registry=self._registry)

    def count(self, report: RunReport) -> None:
        """Counts a pass."""
        for name, mine in report.connections.items():
            self._passes.labels(name, mine.state).inc()
            self._written.labels(name).inc(mine.written)
            self._refused.labels(name).inc(mine.rejected)
            self._calls.labels(name).inc(mine.calls)
        self._scored.inc(report.scored)
        if report.ended_at is not None:
            self._seconds.observe((report.ended_at - report.started_at).total_seconds())

    def count_failure(self, error: BaseException) -> None:
        """Counts a pass that an error cut."""
        self._failures.labels(type(error).__name__).inc()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What stands now; prometheus-client asks."""
        now, stands = self._now(), self.standing
        ages = {name: max((now - at).total_seconds(), 0.0) for name, at in stands.good_at.items()}
        yield _by_connection("last_good_pass_age_seconds", "Since the last good pass began.", ages)
        yield _by_connection("lease_held", "1 = this worker runs it, 0 = stands by.", stands.held)
        yield _by_connection("quarantined", "Values in quarantine.", stands.quarantined)
        yield _one("duplicates", "E-mail addresses of more than one person.", stands.duplicates)
        yield _one("config_ok", "0 = the config is wrong, the last good one runs.", stands.config_ok)
        yield _one("paused", "1 = somebody holds back all writes.", stands.paused)

    def page(self) -> Answer:
        """All of it as text."""
        return Answer(type=CONTENT_TYPE_LATEST, body=generate_latest(self._registry))


def _by_connection(name: str, what: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"leadmark_{name}", what, labels=["connection"])
    for connection, value in values.items():
        family.add_metric([connection], float(value))
    return family


def _one(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"leadmark_{name}", what, value=float(value))
