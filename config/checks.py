"""What must hold between the files of a config folder, and beyond one value within a file.

Every check reads the documents as written, so it finds its mistakes even where another part is wrong; each yields
Problems at the place to mend.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from config.problems import Problem, Spot, error, listed, nearest, warning
from config.reading import Document, Loc
from config.settings import ATTRIBUTES, SALES_WORDS, EventType, Policy
from scoring.conditions import NESTING
from scoring.values import parse_days
from scoring.wording import OUTPUT_TYPES

#: derived fact -> the fact it is made from
DERIVED = {
    "seniority": "title",
    "department": "title",
    "email_domain": "email",
    "email_type": "email",
    "looks_like_spam": "email",
    "missing": "",
}
#: key -> the sources it goes with
_NARROWING = {
    "forms": "form_submissions",
    "lists": "lists",
    "type": "email_events",
    "property": "date_property",
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The documents of one config folder by name, as far as they are readable."""

    installation: Document | None
    connections: Mapping[str, Document]
    models: Mapping[str, Document]
    lists: frozenset[str]
    #: every connection file is readable, so what is not found in them is nowhere
    complete: bool


def check(folder: Folder) -> Iterator[Problem]:
    """Everything that does not fit together in the folder."""
    yield from _primary(folder)
    for connection in folder.connections.values():
        yield from _facts(connection)
        yield from _activities(connection)
        yield from _writing(connection, folder.models)
    yield from _kinds_once(folder.connections.values())
    for name, model in folder.models.items():
        yield from _model_name(name, model)
        yield from _facts_mapped(model, folder)
        yield from _activities_delivered(model, folder)
        yield from _lists_known(model, ("fit", "adjust", "*", "if"), folder.lists)
        yield from _lists_known(model, ("disqualify", "*", "if"), folder.lists)
        yield from _lists_known(model, ("engagement", "*", "rules", "*", "where"), folder.lists)
        yield from _decays_kept(model, folder.installation)


def _unknown(spot: Spot, what: str, name: str, known: Iterable[str], advice: str) -> Problem:
    return error(spot, f'{what} "{name}"{nearest(name, known)}; {advice}')


def _texts(value: Any) -> list[tuple[Loc, str]]:
    """The texts of a value that is one or a list of them, with the step that leads to each."""
    if isinstance(value, list):
        return [((index,), item) for index, item in enumerate(value) if isinstance(item, str)]
    return [((), value)] if isinstance(value, str) else []


def _primary(folder: Folder) -> Iterator[Problem]:
    if folder.installation is None:
        return
    primary = folder.installation.get(("primary",))
    if isinstance(primary, str) and primary not in folder.models:
        spot = folder.installation.at(("primary",))
        yield _unknown(
            spot, "there is no model", primary, folder.models, f"models here: {listed(folder.models) or 'none'}"
        )


def _model_name(name: str, model: Document) -> Iterator[Problem]:
    written = model.get(("model",))
    if isinstance(written, str) and written != name:
        yield error(
            model.at(("model",)), f'the model is called "{written}" but its file {name}.yaml; call both the same'
        )


# A connection by itself.


def _facts(connection: Document) -> Iterator[Problem]:
    for loc, source in connection.each("facts", "*"):
        fact = str(loc[-1])
        if not _NAME.fullmatch(fact):
            yield error(connection.key(loc), f'"{fact}" is no fact\'s name: use small letters, digits and _')
        if isinstance(source, dict) and not source.keys() - {"values"}:
            yield error(connection.key(loc), f'fact "{fact}" names no property; write {{contact: property}}')
    for loc, property_ in connection.each("facts", "*", "owner"):
        if property_ != "email":
            yield error(connection.at(loc), "of an owner only the e-mail address is read: {owner: email}")
    for loc, word in connection.each("facts", "hand_off", "values", "*"):
        if isinstance(word, str) and word not in SALES_WORDS:
            advice = f"sales' words are {', '.join(SALES_WORDS)}"
            yield _unknown(connection.at(loc), "unknown word of sales", word, SALES_WORDS, advice)


def _activities(connection: Document) -> Iterator[Problem]:
    for loc, activity in connection.each("activities", "*"):
        if not _NAME.fullmatch(str(loc[-1])):
            yield error(connection.key(loc), f'"{loc[-1]}" is no activity kind: use small letters, digits and _')
        source = activity.get("from") if isinstance(activity, dict) else None
        if source not in ATTRIBUTES:
            continue
        yield from _narrowed(connection, loc, activity, source)
        yield from _attributes(connection, loc, source)


def _narrowed(connection: Document, loc: Loc, activity: Mapping[str, Any], source: Any) -> Iterator[Problem]:
    """Each source's own key stands, and no other source's."""
    for key, owner in _NARROWING.items():
        if key in activity and owner != source:
            yield error(connection.key((*loc, key)), f'"{key}" goes with from: {owner}, not with from: {source}')
        elif (
            owner == source
            and not activity.get(key)
            and not (key == "type" and "type" in (activity.get("where") or {}))
        ):
            choice = f" ({listed(get_args(EventType))})" if key == "type" else ""
            yield error(connection.key(loc), f'"{loc[-1]}" comes from {source}: say which in "{key}"{choice}')


def _attributes(connection: Document, loc: Loc, source: Any) -> Iterator[Problem]:
    """``where`` and ``keep`` name what the source knows."""
    known = ATTRIBUTES[source]
    advice = f"{source} has {', '.join(known)}"
    for place, _ in connection.each(*map(str, loc), "where", "*"):
        if place[-1] not in known:
            yield _unknown(connection.key(place), "unknown attribute", str(place[-1]), known, advice)
    for place, attribute in connection.each(*map(str, loc), "keep", "*"):
        if isinstance(attribute, str) and attribute not in known:
            yield _unknown(connection.at(place), "unknown attribute", attribute, known, advice)


def _writing(connection: Document, models: Mapping[str, Document]) -> Iterator[Problem]:
    if connection.get(("write", "mode")) == "canary" and connection.get(("write", "canary")) is None:
        advice = "add canary: {if: {…}, at_most: 20} below write"
        yield error(connection.at(("write", "mode")), f"mode canary needs to know whom to write; {advice}")
    taken: dict[str, str] = {}
    for loc, fields in connection.each("write", "fields", "*"):
        model = str(loc[-1])
        if model not in models:
            advice = f"models here: {listed(models) or 'none'}"
            yield _unknown(connection.key(loc), "there is no model", model, models, advice)
        if isinstance(fields, dict):
            yield from _outputs(connection, loc, fields)
            prefix = fields.get("prefix", "leadmark_")
            for step, output in _texts(fields.get("outputs")):
                other = taken.setdefault(f"{prefix}{output}", model)
                if other != model:
                    message = f'field "{prefix}{output}" is already written by model "{other}"; give each model its own prefix'
                    yield error(connection.at((*loc, "outputs", *step)), message)


def _outputs(connection: Document, loc: Loc, fields: Mapping[str, Any]) -> Iterator[Problem]:
    outputs: list[str] = []
    advice = f"outputs are {', '.join(OUTPUT_TYPES)}"
    for step, output in _texts(fields.get("outputs")):
        spot = connection.at((*loc, "outputs", *step))
        if output not in OUTPUT_TYPES:
            yield _unknown(spot, "unknown output", output, OUTPUT_TYPES, advice)
        elif output in outputs:
            yield error(spot, f'output "{output}" stands twice; keep one')
        outputs.append(output)
    for place, policy in connection.each(*map(str, loc), "policy", "*"):
        output = str(place[-1])
        if output not in outputs:
            yield _unknown(
                connection.key(place), "a policy for no output here:", output, outputs, "add it to outputs, or drop it"
            )
        elif policy == "raise_only" and OUTPUT_TYPES.get(output) == "text":
            message = f'"{output}" is text, which has no higher and lower; use {" or ".join(get_args(Policy)[:2])}'
            yield error(connection.at(place), message)


def _kinds_once(connections: Iterable[Document]) -> Iterator[Problem]:
    first: dict[str | int, str] = {}
    for connection in connections:
        for loc, _ in connection.each("activities", "*"):
            other = first.setdefault(loc[-1], connection.path)
            if other != connection.path:
                message = f'activity kind "{loc[-1]}" already comes from {other}; one connection delivers a kind'
                yield error(connection.key(loc), message)


# A model against the connections.


def _facts_mapped(model: Document, folder: Folder) -> Iterator[Problem]:
    if not folder.complete:
        return
    mapped = {str(loc[-1]) for connection in folder.connections.values() for loc, _ in connection.each("facts", "*")}
    derived = {fact for fact, base in DERIVED.items() if base in mapped or not base}
    known = mapped | derived
    for spot, fact in _facts_read(model):
        if fact in known:
            continue
        if fact in DERIVED:
            base = DERIVED[fact]
            yield error(
                spot, f'fact "{fact}" is derived from "{base}", which no connection maps; map {base} under facts'
            )
        else:
            yield _unknown(spot, "no connection maps the fact", fact, known, "map it under facts in a connection")


def _facts_read(model: Document) -> Iterator[tuple[Spot, str]]:
    for loc, _ in model.each("fit", "*"):
        if loc[-1] != "adjust":
            yield model.key(loc), str(loc[-1])
    for pattern in (("fit", "adjust", "*", "if"), ("disqualify", "*", "if")):
        for loc, condition in model.each(*pattern):
            for place, fact in _names(loc, condition):
                yield model.key(place), fact
    for loc, facts in model.each("mql", "needs", "facts"):
        for step, fact in _texts(facts):
            yield model.at((*loc, *step)), fact


def _names(loc: Loc, condition: Any) -> Iterator[tuple[Loc, str]]:
    """The names a condition tests, with the way to each."""
    if isinstance(condition, list):
        for index, inner in enumerate(condition):
            yield from _names((*loc, index), inner)
    elif isinstance(condition, dict):
        for name, inner in condition.items():
            if name in NESTING:
                yield from _names((*loc, name), inner)
            else:
                yield (*loc, name), name


def _activities_delivered(model: Document, folder: Folder) -> Iterator[Problem]:
    if not folder.complete:
        return
    kept: dict[str, set[str]] = {}
    for connection in folder.connections.values():
        for loc, source in connection.each("activities", "*"):
            keep = source.get("keep") if isinstance(source, dict) else None
            kept.setdefault(str(loc[-1]), set()).update(keep if isinstance(keep, dict) else ())
    for loc, rule in model.each("engagement", "*", "rules", "*"):
        kind = rule.get("activity") if isinstance(rule, dict) else None
        if not isinstance(kind, str):
            continue
        if kind not in kept:
            advice = f"kinds delivered: {listed(sorted(kept)) or 'none'}"
            yield _unknown(model.at((*loc, "activity")), "no connection delivers the activity", kind, kept, advice)
        else:
            yield from _attributes_kept(model, loc, rule, kept[kind])


def _attributes_kept(model: Document, loc: Loc, rule: Mapping[str, Any], kept: set[str]) -> Iterator[Problem]:
    kind = rule["activity"]
    advice = f'"{kind}" keeps {listed(sorted(kept)) or "nothing"}; add it to keep in the connection'
    for place, name in _names((*loc, "where"), rule.get("where")):
        if name not in kept:
            yield _unknown(model.key(place), "the activity map does not keep the attribute", name, kept, advice)
    each = re.search(r"\beach (\S+)", str(rule.get("limit")))
    if each and each[1] not in kept:
        spot = model.at((*loc, "limit"))
        yield _unknown(spot, "the activity map does not keep the attribute", each[1], kept, advice)


def _lists_known(model: Document, pattern: tuple[str, ...], lists: frozenset[str]) -> Iterator[Problem]:
    for loc, condition in model.each(*pattern):
        for place, _ in _names(loc, condition):
            for step, name in _texts(model.get((*place, "in_list"))):
                if name not in lists:
                    spot = model.at((*place, "in_list", *step))
                    yield _unknown(spot, "there is no list", name, lists, f"write its entries into lists/{name}.txt")


def _decays_kept(model: Document, installation: Document | None) -> Iterator[Problem]:
    kept = _days(installation.get(("retention", "activities"))) if installation else None
    for loc, decay in model.each("decays", "*"):
        for key in ("half_life", "linear", "expires", "steps"):
            written = decay.get(key) if isinstance(decay, dict) else None
            spans = [_days(span) for span in written] if isinstance(written, dict) else [_days(written)]
            longest = max((span for span in spans if span), default=0)
            if longest > (kept or 760):
                message = (
                    f'decay "{loc[-1]}" is longer than activities are kept (retention: activities: {kept or 760}d)'
                )
                yield warning(model.at((*loc, key)), f"{message}; what is older never counts")


def _days(span: Any) -> int | None:
    try:
        return parse_days(span)
    except ValueError:
        return None
