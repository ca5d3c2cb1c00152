"""What a connection's field and activity maps mean, ready to apply to pages.

Pure. The maps are the admin's; this module answers for them: which fields are inputs, which are ours, which kind an
activity is, what sales' word on a record is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from config.hubspot import ActivitySource, FactSource, HubSpotConnection
from connectors.base import Activity, Attribute, Value
from scoring.journey import Word
from sync.store.values import dump

#: the fact that carries sales' word; it is an event, so the facts a model reads leave it out
HAND_OFF = "hand_off"
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
    facts: Mapping[str, FactSource]
    #: by field name
    outputs: Mapping[str, Output]
    activities: Mapping[str, ActivitySource]
    #: of everything above that may change a score: field, value and activity maps
    digest: str

    def kind_of(self, activity: Activity) -> Kind | None:
        """The first kind of the activity map that takes it; None when none does."""
        for kind, source in self.activities.items():
            if _takes(source, activity):
                kept = {
                    name: activity.attributes[theirs]
                    for name, theirs in source.keep.items()
                    if theirs in activity.attributes
                }
                return Kind(kind=kind, attributes=kept)
        return None

    def asked(self, object_: str) -> str:
        """What a stream of this object ("" for activities) is read for, as a digest; another one asks for all again."""
        if not object_:
            return digest([[kind, source.model_dump(by_alias=True)] for kind, source in self.activities.items()])
        dated = [source.property for source in self.activities.values() if source.property]
        ours = [*self.outputs, *dated] if object_ in self.people else []
        return digest([sorted(self.inputs.get(object_, ())), sorted(ours)])

    def word_of(self, object_: str, inputs: Mapping[str, Value]) -> Word | None:
        """Sales' word on one record; ``new`` and unknown values are no word."""
        source = self.facts.get(HAND_OFF)
        if source is None or object_ not in source.columns:
            return None
        meaning = meaning_of(source, inputs.get(source.columns[object_]))
        return WORDS.get(str(meaning)) if meaning is not None else None


def map_of(settings: HubSpotConnection) -> ConnectionMap:
    """The maps of a connection's settings."""
    inputs: dict[str, set[str]] = {}
    for source in settings.facts.values():
        for object_, field in source.columns.items():
            inputs.setdefault(object_, set()).add(field)
    outputs = {
        fields.prefix + output: Output(
            field=fields.prefix + output, model=model, output=output, policy=fields.policy.get(output, "overwrite")
        )
        for model, fields in settings.write.fields.items()
        for output in fields.outputs
    }
    meaning = {
        "facts": {name: source.model_dump() for name, source in settings.facts.items()},
        "activities": [[kind, source.model_dump(by_alias=True)] for kind, source in settings.activities.items()],
    }
    return ConnectionMap(
        connection=settings.name,
        people=frozenset({"contact"}),
        inputs={object_: frozenset(fields) for object_, fields in inputs.items()},
        facts=settings.facts,
        outputs=outputs,
        activities=settings.activities,
        digest=digest(meaning),
    )


def meaning_of(source: FactSource, value: Value) -> Value:
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


def _takes(source: ActivitySource, activity: Activity) -> bool:
    if source.from_ != activity.source:
        return False
    named = (("form", source.forms), ("list", source.lists), ("type", source.type), ("property", (source.property,)))
    return all(
        not any(wanted) or _is_one_of(activity.attributes.get(attribute), wanted) for attribute, wanted in named
    ) and all(_is_one_of(activity.attributes.get(attribute), wanted) for attribute, wanted in source.where.items())


def _is_one_of(attribute: Attribute | None, wanted: Iterable[object]) -> bool:
    if attribute is None:
        return False
    names = {str(name).strip().casefold() for name in wanted}
    return attribute.id.casefold() in names or attribute.label.strip().casefold() in names
