"""The plan: the difference of desired and observed, record by record, and whether the guard lets it through.

Pure. Nothing else decides a write. A record is written when something people look at changed (the quiet-write rule,
``due``); then everything that differs rides along.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from math import ceil
from typing import Any, Literal

from connectors.base import FieldUpdate, Value
from sync.mapping import Output, digest
from sync.observe import Fields, does_not_stick
from sync.store.values import DAY_US

#: a change of one of these is always written
SHOWN = frozenset(
    {
        "grade",
        "tier",
        "momentum",
        "surged_on",
        "mql_status",
        "mql_since",
        "first_mql_on",
        "mql_count",
        "recycled_on",
    }
)
#: outputs whose emptying the guard counts
CLEARED = frozenset({"score", "tier", "mql_status"})
MQL = "MQL"
#: the cause of emptying the fields of a person who is not to be profiled; the guard does not count it as cleared
UNPROFILED = "do_not_profile"
#: the cause of emptying the fields of a person who left a model's audience
AUDIENCE = "audience"
#: records that differ for long are refreshed over this many days, by their number
REFRESH_SPREAD_DAYS = 7
#: the guard never stops below this many changed records
CHANGED_FLOOR = 100
#: how much a plan may grow after its approval
GROWTH = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A record as the plan sees it."""

    number: int
    object: str
    crm_id: str
    person: int
    fields: Fields
    #: quarantined field ("" = the whole record) -> digest of what was refused
    refused: Mapping[str, str]
    #: model -> why the person's status there changed last
    causes: Mapping[str, str] = field(default_factory=dict)
    #: the person is not to be profiled
    unprofiled: bool = False
    #: another record of the person already shows the score this one should
    shown_elsewhere: bool = False
    #: fields that hold what we ourselves sent before, brought back by another tool: nobody's edit
    echoed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteRules:
    """What a connection's settings say of writing."""

    outputs: Mapping[str, Output]
    #: object and field -> digest of its definition, part of what re-arms a quarantine
    definitions: Mapping[tuple[str, str], str]
    min_change: int
    refresh_after_days: int
    now: int
    #: record numbers that may be written; None = all
    allowed: frozenset[int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One record to write: what goes out, and what stands there now."""

    record: int
    person: int
    object: str
    crm_id: str
    new: Mapping[str, Value]
    old: Mapping[str, Value]
    cause: str

    def update(self) -> FieldUpdate:
        """What push sends."""
        return FieldUpdate(object=self.object, record_id=self.crm_id, values=self.new)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What the guard counts."""

    new_mql: int = 0
    lost_mql: int = 0
    cleared: int = 0
    changed: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """The sum, count by count."""
        return Counts(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    def within(self, bounds: Mapping[str, float]) -> list[str]:
        """The names of the counts above their bound."""
        return [name for name, value in asdict(self).items() if value > bounds[name]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All that one pass would write to one connection."""

    connection: str
    changes: tuple[Change, ...]
    #: records that differ and wait, by the quiet-write rule
    held_back: tuple[int, ...]
    #: (record, field) sent as often as allowed, and the CRM still holds another value
    stuck: tuple[tuple[int, str], ...]
    #: records left out because the CRM refused the same before, or by the canary
    left_out: int
    counts: Counts
    #: of models and field map
    basis: str

    @property
    def code(self) -> str:
        """What ``sync --approve`` takes for exactly this plan.

        The same connection, models, field map and counts give the same code.
        """
        return digest([self.connection, self.basis, asdict(self.counts)])[:8]

    def calls(self, push_size: int) -> int:
        """Requests a push of this plan makes when nothing is refused."""
        by_object = {change.object for change in self.changes}
        return sum(ceil(sum(change.object == object_ for change in self.changes) / push_size) for object_ in by_object)


def payload(record: Planned, name: str, rules: WriteRules) -> str:
    """What would be sent, as a digest: a quarantine holds while this stays the same.

    For "" all desired values count but the day of scoring, which changes by itself.
    """
    if name:
        return digest([name, record.fields.desired.get(name), _meaning(record.object, name, rules)])
    values = {
        name: value
        for name, value in record.fields.desired.items()
        if name in rules.outputs and rules.outputs[name].output != "scored_on"
    }
    return digest([values, {name: _meaning(record.object, name, rules) for name in values}])


def _meaning(object_: str, name: str, rules: WriteRules) -> list[str | None]:
    """What a field stands for: its map and its definition."""
    return [repr(rules.outputs.get(name)), rules.definitions.get((object_, name))]


def make_plan(connection: str, records: Iterable[Planned], rules: WriteRules, *, basis: str) -> Plan:
    """The plan for the records that differ, in the order given."""
    changes: list[Change] = []
    held_back: list[int] = []
    stuck: list[tuple[int, str]] = []
    left_out = 0
    for record in records:
        differing = _differing(record, rules)
        loose = [name for name in differing if not does_not_stick(record.fields, name, now=rules.now)]
        stuck += [(record.number, name) for name in differing if name not in loose]
        if not loose:
            left_out += bool(_all_differing(record, rules)) and not differing
            continue
        if rules.allowed is not None and record.number not in rules.allowed:
            left_out += 1
            continue
        if not due(record, loose, rules):
            held_back.append(record.number)
            continue
        changes.append(
            Change(
                record=record.number,
                person=record.person,
                object=record.object,
                crm_id=record.crm_id,
                new={name: record.fields.desired[name] for name in loose},
                old={name: record.fields.observed.get(name) for name in loose},
                cause=_cause(record, loose, rules),
            )
        )
    return Plan(
        connection=connection,
        changes=tuple(changes),
        held_back=tuple(held_back),
        stuck=tuple(stuck),
        left_out=left_out,
        counts=count(changes, rules.outputs),
        basis=basis,
    )


def _cause(record: Planned, names: Sequence[str], rules: WriteRules) -> str:
    """Why a record is written: what changed the status in the first model that has a field among these."""
    if record.unprofiled:
        return UNPROFILED
    models = {rules.outputs[name].model for name in names}
    return next((cause for model, cause in record.causes.items() if model in models), "")


def due(record: Planned, differing: Sequence[str], rules: WriteRules) -> bool:
    """Whether the quiet-write rule lets this record be written now.

    It does when the score moved by ``min_change`` or reached 0 or 100; when grade, tier, status, momentum, a surge or a
    date of the journey changed; when a field is empty that should not be; when another record of the person already
    shows the score; when the person is not to be profiled; or when something differs that was last written
    ``refresh_after`` ago.
    """
    fields = record.fields
    if record.shown_elsewhere or record.unprofiled:
        return True
    if any(fields.observed.get(name) is None for name in differing):
        return True
    for name in differing:
        output = rules.outputs[name].output
        if output in SHOWN:
            return True
        if output == "score" and _moved(fields.desired[name], fields.observed[name], rules.min_change):
            return True
    if fields.receipt_at is None:
        return True
    wait_days = rules.refresh_after_days + record.number % REFRESH_SPREAD_DAYS
    return rules.now - fields.receipt_at >= wait_days * DAY_US


def _moved(desired: Value, observed: Value, min_change: int) -> bool:
    if not isinstance(desired, int | float) or not isinstance(observed, int | float):
        return True
    return desired in {0, 100} or abs(desired - observed) >= min_change


def _all_differing(record: Planned, rules: WriteRules) -> list[str]:
    """Mapped outputs whose policy asks for another value than the one that stands there."""
    fields = record.fields
    return [
        name
        for name, value in fields.desired.items()
        if name in rules.outputs
        and fields.observed.get(name) != value
        and (name in record.echoed or _asked(rules.outputs[name].policy, value, fields, name))
    ]


def _differing(record: Planned, rules: WriteRules) -> list[str]:
    """Of those, the ones the CRM did not refuse as they are."""
    if "" in record.refused and record.refused[""] == payload(record, "", rules):
        return []
    refused = record.refused
    return [
        name
        for name in _all_differing(record, rules)
        if name not in refused or refused[name] != payload(record, name, rules)
    ]


def _asked(policy: str, desired: Value, fields: Fields, name: str) -> bool:
    """What a field's policy says to somebody else's edit (observed is not what we last wrote)."""
    observed = fields.observed.get(name)
    if policy == "overwrite" or name not in fields.confirmed or observed == fields.confirmed[name]:
        return True
    if policy == "keep":
        return False
    return desired is not None and (observed is None or _higher(desired, observed))


def _higher(desired: Value, observed: Value) -> bool:
    """Of two numbers or two dates; nothing else has a higher and lower."""
    if isinstance(desired, date) and isinstance(observed, date):
        return desired > observed
    return isinstance(desired, int | float) and isinstance(observed, int | float) and desired > observed


def count(changes: Iterable[Change], outputs: Mapping[str, Output]) -> Counts:
    """What the guard counts of these changes: persons for MQL, records for the rest."""
    new: set[int] = set()
    lost: set[int] = set()
    cleared = changed = 0
    for change in changes:
        changed += 1
        emptied = False
        for name, value in change.new.items():
            output, before = outputs[name].output, change.old[name]
            if output == "mql_status" and value == MQL:
                new.add(change.person)
            if output == "mql_status" and before == MQL:
                lost.add(change.person)
            emptied = emptied or (output in CLEARED and value is None and before is not None)
        emptied = emptied and change.cause != UNPROFILED
        cleared += emptied
    return Counts(new_mql=len(new), lost_mql=len(lost), cleared=cleared, changed=changed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """A code somebody approved, and the plan it was made for."""

    code: str
    counts: Counts
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the guard says: go, go by an approval, or stop and why."""

    verdict: Literal["go", "approved", "stop"]
    #: count -> (this plan with what was written in 24 h, bound)
    exceeded: Mapping[str, tuple[int, int]]
    approval: Approval | None = None


def judge(plan: Plan, *, bounds: Mapping[str, int], written: Counts, approvals: Iterable[Approval]) -> Verdict:
    """Whether the plan may be written: within bounds with what was written in 24 hours, or approved as it was then.

    An approval covers a plan of the same models and field map, grown by at most 5 %.
    """
    total = plan.counts.plus(written)
    exceeded = {name: (getattr(total, name), bounds[name]) for name in total.within(bounds)}
    if not exceeded or not plan.changes:
        return Verdict(verdict="go", exceeded={})
    for approval in approvals:
        room = {name: ceil(value * (1 + GROWTH)) for name, value in asdict(approval.counts).items()}
        if approval.basis == plan.basis and not plan.counts.within(room):
            return Verdict(verdict="approved", exceeded=exceeded, approval=approval)
    return Verdict(verdict="stop", exceeded=exceeded)


def changed_bound(share_percent: int, records_confirmed: int) -> int:
    """The bound on changed records: the share of the records with a confirmed value, at least 100.

    >>> changed_bound(20, 1000)
    200
    """
    return max(CHANGED_FLOOR, records_confirmed * share_percent // 100)


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan with record ids and old -> new by field, for ``--json``."""
    return {
        "connection": plan.connection,
        "counts": asdict(plan.counts),
        "held_back": len(plan.held_back),
        "left_out": plan.left_out,
        "code": plan.code,
        "changes": [
            {
                "object": change.object,
                "id": change.crm_id,
                "fields": {name: [_plain(change.old[name]), _plain(value)] for name, value in change.new.items()},
            }
            for change in plan.changes
        ],
    }


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value
