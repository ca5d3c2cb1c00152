"""Which contacts the objects of a page hang on, at one call a thousand objects."""

from collections.abc import Iterable, Iterator, Sequence

from connectors.hubspot.client import ASSOCIATION_IDS, Json
from connectors.hubspot.reading import Reading, Step
from connectors.hubspot.walks import next_after


def gathered(one_by_one: Iterable[Step]) -> Iterator[Step]:
    """The steps, put together up to 1,000 rows."""
    held: Step | None = None
    for step in one_by_one:
        if held is not None and len(held.rows) + len(step.rows) > ASSOCIATION_IDS:
            yield held
            held = None
        held = (
            step
            if held is None
            else Step(
                rows=[*held.rows, *step.rows],
                gone=[*held.gone, *step.gone],
                cursor=step.cursor,
                requested_at=held.requested_at,
            )
        )
    if held is not None:
        yield held


def contacts_of(reading: Reading, kind: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Contact ids by object id; an object without contacts is missing. No objects, no call."""
    found: dict[str, list[str]] = {}
    inputs: list[Json] = [{"id": id_} for id_ in dict.fromkeys(ids)]
    while inputs:
        told = reading.client.associations(kind, "contacts", inputs[:ASSOCIATION_IDS])
        inputs = inputs[ASSOCIATION_IDS:]
        for result in told.get("results") or ():
            id_ = str(result["from"]["id"])
            found.setdefault(id_, []).extend(str(to["toObjectId"]) for to in result.get("to") or ())
            after = next_after(result)
            if after is not None:
                inputs.append({"id": id_, "after": after})
    return found
