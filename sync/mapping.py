"""What a connection's field and activity maps mean, ready to apply to pages.

Pure. The maps are the admin's; this module answers for them: which fields are inputs, which are ours, which kind an
activity is, what sales' word on a record is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from config.hubspot import ActivitySource, Deals, FactSource
from config.salesforce import Outcomes, SalesforceActivity, SalesforceConnection, SalesforceFact
from config.settings import Connection, Settings
from connectors.base import Activity, Attribute, Value
from scoring.conditions import Condition
from scoring.journey import Word
from sync.store.values import dump

#: the fact that carries sales' word; it is an event, so the facts a model reads leave it out
HAND_OFF = "hand_off"
#: an opportunity as one of its contacts sees it, or a deal with all of them
OUTCOME = "outcome"
WORDS: Mapping[str, Word] = {
    "qualifying": "qualifying",
    "accepted": "accepted",
    "recycled": "recycled",
    "won": "won",
    "lost": "lost",
}


@dataclass(frozen=True, kw_only=True)
class Output:
    """One of our fields in a CRM."""

    field: str
    model: str
    output: str
    policy: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an activity map says of one activity: its kind, and the attributes its touchpoint keeps."""

    kind: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, kw_only=True)
class ConnectionMap:
    """The maps of one connection."""

    connection: str
    #: objects whose records are people
    people: frozenset[str]
    #: object -> fields whose change may change a score
    inputs: Mapping[str, frozenset[str]]
    facts: Mapping[str, FactSource | SalesforceFact]
    #: by field name
    outputs: Mapping[str, Output]
    activities: Mapping[str, ActivitySource | SalesforceActivity]
    #: the people's objects, those whose facts count first before the others
    order: tuple[str, ...] = ()
    #: fact -> the rank of this connection's value among those named first for it
    preferred: Mapping[str, int] = field(default_factory=dict)
    #: other connection and its object -> the field of a person's record that holds the id of theirs
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: connections whose ids have a short and a long form
    salesforce: frozenset[str] = frozenset()
    #: of a person's records here, only those that another connection links to are written
    linked_only: bool = False
    #: object -> which of its records are read
    scope: Mapping[str, Condition] = field(default_factory=dict)
    #: what outcomes are read for; None: they are not
    outcomes: Outcomes | Deals | None = None
    #: object -> fields that may be missing
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: of everything above that may change a score: field, value and activity maps
    digest: str

    def kind_of(self, activity: Activity) -> Kind | None:
        """The first kind of the activity map that takes it; None when none does."""
        for kind, source in self.activities.items():
            if _takes(source, activity):
                found = {
                    name: _classed(activity.attributes[theirs], source.classes.get(name))
                    for name, theirs in source.keep.items()
                    if theirs in activity.attributes
                }
                kept = {name: attribute for name, attribute in found.items() if attribute is not None}
                return Kind(kind=kind, attributes=kept)
        return None

    def asked(self, object_: str) -> str:
        """What a stream of this object ("" for activities) is read for, as a digest; another one asks for all again."""
        if not object_:
            return digest([[kind, _read_for(source)] for kind, source in self.activities.items()])
        if object_ == OUTCOME:
            return digest(self.outcomes and self.outcomes.model_dump())
        dated = [name for source in self.activities.values() if (name := _dated(source))]
        ours = [*self.outputs, *dated, *self.links.values()] if object_ in self.people else []
        scope = repr(self.scope[object_].raw) if object_ in self.scope else ""
        return digest([sorted(self.inputs.get(object_, ())), sorted(ours), scope])

    def word_of(self, object_: str, inputs: Mapping[str, Value]) -> Word | None:
        """Sales' word on one record; ``new`` and unknown values are no word."""
        source = self.facts.get(HAND_OFF)
        if source is None:
            return None
        fields = [column.field for column in source.reads if column.record == column.of == object_]
        meaning = next((found for name in fields if (found := meaning_of(source, inputs.get(name))) is not None), None)
        return WORDS.get(str(meaning)) if meaning is not None else None


def maps_of(settings: Settings) -> list[ConnectionMap]:
    """The maps of all connections, the one whose values count first before the others."""
    salesforce = frozenset(one.name for one in settings.connections if one.crm == "salesforce")
    return [map_of(one, salesforce, settings.prefer) for one in settings.connections]


def map_of(
    settings: Connection, salesforce: frozenset[str] = frozenset(), prefer: Mapping[str, Sequence[str]] | None = None
) -> ConnectionMap:
    """The maps of one connection, among those of kind Salesforce and with those preferred for a fact."""
    inputs: dict[str, set[str]] = {}
    optional: dict[str, set[str]] = {}
    for source in settings.facts.values():
        for column in source.reads:
            inputs.setdefault(column.of, set()).add(column.field)
            if source.optional:
                optional.setdefault(column.of, set()).add(column.field)
    links = {(other, of): name for other, objects in (settings.links or {}).items() for of, name in objects.items()}
    for object_ in settings.people:
        optional.setdefault(object_, set()).update(links.values())
    outputs = {
        fields.field(output): Output(
            field=fields.field(output),
            model=model,
            output=output,
            policy=fields.policy.get(output, "overwrite"),
        )
        for model, fields in settings.write.fields.items()
        for output in fields.outputs
    }
    outcomes = settings.outcomes
    if outcomes is not None:
        inputs[OUTCOME] = {"won", "closed", "closed_at" if isinstance(outcomes, Deals) else "closed_on"}
    if isinstance(outcomes, Deals):
        inputs["deal"] = {outcomes.won, outcomes.closed, "closedate", *(("pipeline",) if outcomes.pipelines else ())}
    preferred = {fact: names.index(settings.name) for fact, names in (prefer or {}).items() if settings.name in names}
    meaning: dict[str, Any] = {
        "facts": {name: source.model_dump(exclude_defaults=True) for name, source in settings.facts.items()},
        "activities": [
            [kind, source.model_dump(by_alias=True, exclude_defaults=True)]
            for kind, source in settings.activities.items()
        ],
        "outcomes": outcomes and outcomes.model_dump(),
        "preferred": preferred,
    }
    return ConnectionMap(
        connection=settings.name,
        people=frozenset(settings.people),
        inputs={object_: frozenset(fields) for object_, fields in inputs.items()},
        facts=settings.facts,
        outputs=outputs,
        activities=settings.activities,
        order=settings.people,
        preferred=preferred,
        links=links,
        salesforce=salesforce,
        linked_only=isinstance(settings, SalesforceConnection) and settings.duplicates == "linked",
        outcomes=outcomes,
        scope={str(object_): condition for object_, condition in settings.scope.items()},
        optional={object_: frozenset(names) for object_, names in optional.items()},
        digest=digest(meaning),
    )


def meaning_of(source: FactSource | SalesforceFact, value: Value) -> Value:
    """A CRM value as the fact's own: translated where the map has ``values``, where others are unknown."""
    if value is None or not source.values:
        return value
    wanted = str(value).casefold()
    return next((ours for theirs, ours in source.values.items() if theirs.casefold() == wanted), None)


def digest(value: object) -> str:
    """16 hex digits that stand for a value of JSON's kinds, whatever the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return blake2b(dump(value).encode(), digest_size=8).hexdigest()


def _read_for(source: ActivitySource | SalesforceActivity) -> dict[str, Any]:
    """What an activity map asks for; without classes as before there were any."""
    return source.model_dump(by_alias=True, exclude=None if source.classes else {"classes"})


def _classed(attribute: Attribute, classes: Mapping[str, Sequence[str]] | None) -> Attribute | None:
    """The class that stands for a text; the attribute itself where none are named, None where none fits."""
    if classes is None:
        return attribute
    text = (attribute.label or attribute.id).strip().casefold()
    for name, words in classes.items() if text else ():
        if any(word == "*" or word.casefold() in text for word in words):
            return Attribute(id=name, label=name)
    return None


def _dated(source: ActivitySource | SalesforceActivity) -> str:
    """The date of people whose every new value is an activity of the kind; "" for other sources."""
    return source.field if isinstance(source, SalesforceActivity) else source.property


def _takes(source: ActivitySource | SalesforceActivity, activity: Activity) -> bool:
    if source.from_ != activity.source:
        return False
    if isinstance(source, SalesforceActivity):
        if _is_one_of(activity.attributes.get("created_by"), source.not_created_by):
            return False
        named: tuple[tuple[str, tuple[str, ...]], ...] = (("field", (source.field,)),)
    else:
        named = (
            ("form", source.forms),
            ("list", source.lists),
            ("type", source.type),
            ("property", (source.property,)),
        )
    return all(
        not any(wanted) or _is_one_of(activity.attributes.get(attribute), wanted) for attribute, wanted in named
    ) and all(_is_one_of(activity.attributes.get(attribute), wanted) for attribute, wanted in source.where.items())


def _is_one_of(attribute: Attribute | None, wanted: Iterable[object]) -> bool:
    if attribute is None:
        return False
    names = {str(name).strip().casefold() for name in wanted}
    return attribute.id.casefold() in names or attribute.label.strip().casefold() in names
