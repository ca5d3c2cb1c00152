"""What a connection's settings ask of Salesforce: fields by object, attributes of activities, and streams."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.salesforce import SalesforceActivity, SalesforceConnection
from connectors.base import Stream

#: the objects whose records are people
PEOPLE = ("lead", "contact")
#: objects that people point to, each with its stream, in the order to pull them
PARENTS = {"user": "users", "individual": "individuals", "account": "accounts"}
#: sources of activities that are objects of Salesforce
SOURCES = ("CampaignMember", "Task", "Event")
#: the attribute that stands for the campaign itself
CAMPAIGN = "Campaign"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The opportunity's fields that say it was won, and that it is over."""

    won: str
    closed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The fields and activities the configuration names, each once, in its order and spelling."""

    #: object (lead, contact, user, individual, account) -> fields, inputs and outputs
    fields: Mapping[str, tuple[str, ...]]
    #: object -> those of ``fields`` without which it can go on
    optional: Mapping[str, frozenset[str]]
    #: lead, contact -> fields of related records that its scope reads, by dot
    paths: Mapping[str, tuple[str, ...]]
    #: fields that it is enough for one of lead and contact to have
    shared: frozenset[str] = frozenset()
    #: the only fields that may be written
    outputs: tuple[str, ...] = ()
    #: fields each new value of which is an activity
    date_fields: tuple[str, ...] = ()
    #: source -> the attributes its touchpoints keep or are chosen by
    attributes: Mapping[str, tuple[str, ...]]
    #: sources of which some users' items are left out
    authored: frozenset[str] = frozenset()
    outcome: Outcome | None = None

    @property
    def campaign_fields(self) -> tuple[str, ...]:
        """The campaign's own fields among the attributes of its members."""
        named = self.attributes.get("CampaignMember", ())
        paths = ("Campaign.Name" if name == CAMPAIGN else name for name in named)
        return _once(path.partition(".")[2] for path in paths if path.startswith("Campaign."))

    def streams(self) -> tuple[Stream, ...]:
        """The streams to pull, in order: who is pointed to comes before who points, records before activities."""
        return (
            *(Stream(name=stream, object=of) for of, stream in PARENTS.items() if of in self.fields),
            *(Stream(name=f"{of}s", object=of) for of in PEOPLE),
            *((Stream(name="opportunities", object="opportunity"),) if self.outcome else ()),
            *((Stream(name="outcomes", object="outcome"),) if self.outcome else ()),
            *((Stream(name="campaigns"),) if self.campaign_fields else ()),
            *(Stream(name=source) for source in SOURCES if source in self.attributes),
        )


def wanted(settings: SalesforceConnection, outputs: Sequence[str]) -> Wanted:
    """What the settings ask for; ``outputs`` are the full names of the fields we write."""
    kinds = tuple(settings.activities.values())
    dates = _once(kind.field for kind in kinds if kind.from_ == "date_field")
    links = _once(field for objects in (settings.links or {}).values() for field in objects.values())
    scopes: dict[str, list[str]] = {of: sorted(condition.names()) for of, condition in settings.scope.items()}
    needed: dict[str, list[str]] = {of: [] for of in PEOPLE}
    optional: dict[str, list[str]] = {}
    for fact in settings.facts.values():
        for column in fact.reads:
            (optional if fact.optional else needed).setdefault(column.of, []).append(column.field)
    for of in PEOPLE:
        plain = (name for name in scopes.get(of, ()) if "." not in name)
        needed[of] += [*plain, *links, *dates, *outputs]
    fields = {of: _once([*needed.get(of, ()), *optional.get(of, ())]) for of in (*needed, *optional)}
    attributes: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.from_ in SOURCES:
            attributes.setdefault(kind.from_, []).extend(_attributes(kind))
    return Wanted(
        fields=fields,
        optional={of: frozenset(names).difference(needed.get(of, ())) for of, names in optional.items()},
        paths={of: tuple(name for name in names if "." in name) for of, names in scopes.items()},
        shared=frozenset((*links, *dates)),
        outputs=_once(outputs),
        date_fields=dates,
        attributes={source: _once(names) for source, names in attributes.items()},
        authored=frozenset(kind.from_ for kind in kinds if kind.not_created_by),
        outcome=Outcome(won=settings.outcomes.won, closed=settings.outcomes.closed) if settings.outcomes else None,
    )


def _attributes(kind: SalesforceActivity) -> list[str]:
    return [*kind.where, *kind.keep.values()]


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
