"""What a connection's settings ask of HubSpot: properties by object, and streams."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from config.hubspot import HubSpotConnection
from connectors.base import Stream

#: sources of activities that are CRM objects of their own
ENGAGEMENTS = ("emails", "calls", "meetings")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The deal's properties that say it was won, and that it is over; and which pipelines count."""

    won: str
    closed: str
    #: by id or name; empty = all
    pipelines: tuple[str, ...] = ()

    @property
    def properties(self) -> tuple[str, ...]:
        """What is asked of a deal."""
        return _once((self.won, self.closed, "closedate", *(("pipeline",) if self.pipelines else ())))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The properties and activities the configuration names, each once, in its order."""

    #: object (contact, company, owner, deal) -> CRM fields, inputs and outputs
    fields: Mapping[str, tuple[str, ...]]
    #: of these, those that may be missing
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: the only properties that may be written
    outputs: tuple[str, ...] = ()
    #: contact properties each new value of which is an activity
    date_properties: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    #: lists by name or id
    lists: tuple[str, ...] = ()
    #: types of mail events; empty = every type
    event_types: frozenset[str] = frozenset()
    mail_events: bool = False
    #: whether the names of mails are asked for
    mail_names: bool = False
    #: emails, calls, meetings -> the attributes their touchpoints keep or are chosen by
    engagements: Mapping[str, tuple[str, ...]]
    outcome: Outcome | None = None

    def streams(self) -> tuple[Stream, ...]:
        """The streams to pull, in order: who is pointed to comes before who points."""
        return (
            *(
                Stream(name=name, object=of)
                for name, of in (("owners", "owner"), ("companies", "company"))
                if of in self.fields
            ),
            Stream(name="contacts", object="contact"),
            *((Stream(name="deals", object="outcome"),) if self.outcome else ()),
            *(Stream(name=f"form:{form}") for form in self.forms),
            *((Stream(name="email_events"),) if self.mail_events else ()),
            *(Stream(name=f"list:{name}") for name in self.lists),
            *(Stream(name=name) for name in ENGAGEMENTS if name in self.engagements),
        )


def wanted(settings: HubSpotConnection, outputs: Sequence[str]) -> Wanted:
    """What the settings ask for; ``outputs`` are the full names of the properties we write."""
    kinds = tuple(settings.activities.values())
    dates = _once(kind.property for kind in kinds if kind.from_ == "date_property")
    events = [kind for kind in kinds if kind.from_ == "email_events"]
    fields: dict[str, list[str]] = {"contact": []}
    optional: dict[str, set[str]] = {"contact": set()}
    for fact in settings.facts.values():
        for column in fact.reads:
            fields.setdefault(column.of, []).append(column.field)
            if fact.optional:
                optional.setdefault(column.of, set()).add(column.field)
    links = [name for objects in (settings.links or {}).values() for name in objects.values()]
    scope = [name for condition in settings.scope.values() for name in condition.names()]
    optional["contact"] |= set(links)
    fields["contact"] += [*links, *scope, *dates, *outputs]
    asked = settings.outcomes
    outcome = Outcome(won=asked.won, closed=asked.closed, pipelines=asked.pipelines) if asked else None
    if outcome:
        fields["deal"] = list(outcome.properties)
    attributes: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.from_ in ENGAGEMENTS:
            attributes.setdefault(kind.from_, []).extend([*kind.where, *kind.keep.values()])
    return Wanted(
        fields={of: _once(names) for of, names in fields.items()},
        optional={of: frozenset(names) for of, names in optional.items()},
        outputs=_once(outputs),
        date_properties=dates,
        forms=_once(form for kind in kinds if kind.from_ == "form_submissions" for form in kind.forms),
        lists=_once(name for kind in kinds if kind.from_ == "lists" for name in kind.lists),
        event_types=_types([kind.type for kind in events]),
        mail_events=bool(events),
        mail_names=any("campaign" in (*kind.where, *kind.keep.values()) for kind in events),
        engagements={source: _once(names) for source, names in attributes.items()},
        outcome=outcome,
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _types(asked: Sequence[Sequence[str]]) -> frozenset[str]:
    """The types of all kinds together; one kind without types takes every type."""
    return frozenset(type_ for types in asked for type_ in types) if all(asked) else frozenset()
