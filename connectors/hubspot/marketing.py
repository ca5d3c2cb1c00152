"""Activities of marketing: forms sent in, mails opened and clicked, lists joined.

Forms and mails name an address, lists a contact. Links and pages are kept without their query, which may hold anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Activity, Attribute, Cursor, Page, instant
from connectors.errors import Missing, Refused
from connectors.hubspot.client import Json
from connectors.hubspot.marks import milliseconds
from connectors.hubspot.newest import newest_first
from connectors.hubspot.reading import Reading
from connectors.hubspot.walks import Row, next_after, pages

#: names of forms, lists and pipelines are asked for again once a day
NAMED_MS = 24 * 3_600_000
#: tokens of list pages kept to step back to
_TOKENS = 8


def form_submissions(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """One activity per submission of the form that the stream names by name or id."""
    cursor = _named(reading, cursor, partial(_find_form, reading, stream.partition(":")[2]))
    form = Attribute(id=cursor["id"], label=cursor["name"])

    def fetch(*, start: int, end: int | None, after: str | None) -> tuple[Sequence[Row], str | None]:  # noqa: ARG001 - forms have no window
        told = reading.client.submissions(form.id, after=after)
        return told.get("results") or (), next_after(told)

    for step in newest_first(reading, fetch, partial(_at, "submittedAt"), cursor, spans=False):
        activities = [activity for row in step.rows if (activity := _submission(form, row))]
        yield Page(stream=stream, next_cursor=step.cursor, requested_at=step.requested_at, activities=activities)


def _find_form(reading: Reading, wanted: str) -> tuple[str, str]:
    forms = (form for rows, _ in pages(lambda after: reading.client.forms(after=after)) for form in rows)
    return only("form", wanted, ((str(form["id"]), str(form.get("name") or "")) for form in forms))


def _submission(form: Attribute, row: Row) -> Activity | None:
    """None without a date or an address: it could hang on nobody."""
    values = {str(item.get("name")): item.get("value") for item in row.get("values") or ()}
    email = str(values.get("email") or "").strip().casefold()
    if not row.get("submittedAt") or not email:
        return None
    at = instant(row["submittedAt"])
    id_ = str(row.get("conversionId") or f"{milliseconds(at)}:{email}")
    attributes = {"form": form}
    if row.get("pageUrl"):
        attributes["page"] = _address(row["pageUrl"])
    return Activity(
        source="form_submissions", id=f"{form.id}:{id_}", at=at, email=email, attributes=attributes, changed_at=at
    )


def mail_events(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """One activity per event of a mapped type. HubSpot filters by one type only; of several, the others are dropped."""
    types = reading.wanted.event_types
    one = {"eventType": next(iter(types))} if len(types) == 1 else {}

    def fetch(*, start: int, end: int | None, after: str | None) -> tuple[Sequence[Row], str | None]:
        asked = {**one, "startTimestamp": start, "endTimestamp": end, "offset": after}
        told = reading.client.mail_events({name: value for name, value in asked.items() if value is not None})
        return told.get("events") or (), (told.get("offset") or None) if told.get("hasMore") else None

    for step in newest_first(reading, fetch, partial(_at, "created"), cursor, spans=True):
        activities = [
            activity
            for row in step.rows
            if (not types or row.get("type") in types) and (activity := _mail_event(reading, row))
        ]
        yield Page(stream=stream, next_cursor=step.cursor, requested_at=step.requested_at, activities=activities)


def _mail_event(reading: Reading, row: Row) -> Activity | None:
    email = str(row.get("recipient") or "").strip().casefold()
    if not row.get("created") or not email:
        return None
    at = instant(row["created"])
    attributes = {"type": Attribute(id=str(row.get("type")))}
    if row.get("emailCampaignId"):
        campaign = str(row["emailCampaignId"])
        attributes["campaign"] = Attribute(id=campaign, label=_label(reading, campaign, str(row.get("appId") or "")))
    if row.get("url"):
        attributes["link"] = _address(row["url"])
    id_ = f"{row.get('id')}:{row['created']}"
    return Activity(source="email_events", id=id_, at=at, email=email, attributes=attributes, changed_at=at)


def _label(reading: Reading, campaign: str, app: str) -> str:
    """The mail's name, asked for once; "" when nothing maps it or HubSpot does not say."""
    if reading.wanted.mail_names and campaign not in reading.labels:
        try:
            reading.labels[campaign] = str(reading.client.campaign(campaign, app=app).get("name") or "")
        except Refused:
            reading.labels[campaign] = ""
    return reading.labels.get(campaign, "")


def list_joins(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """One activity per contact and time of joining the list that the stream names by name or id.

    Pages come the earliest joined first. The cursor keeps the tokens of the last pages and the newest time read; a page
    counts as a place to go on from only when it begins at or before that time, for people who leave may shift the rest.
    """
    following = _named(reading, cursor, partial(_find_list, reading, stream.partition(":")[2]))
    joined = Attribute(id=following["id"], label=following["name"])
    requested_at = reading.now()
    start = reading.windows.start(following.get("mark", 0), sweeping=True)
    for told, tokens in _members(reading, following):
        rows = [row for row in told.get("results") or () if _at("membershipTimestamp", row) >= start]
        activities = [_join(joined, row) for row in rows]
        newest = max((milliseconds(activity.at) for activity in activities), default=0)
        following = {**following, "tokens": tokens[-_TOKENS:], "mark": max(following.get("mark", 0), newest)}
        yield Page(stream=stream, next_cursor=following, requested_at=requested_at, activities=activities)
        requested_at = reading.now()


def _members(reading: Reading, cursor: Cursor) -> Iterator[tuple[Json, list[str]]]:
    """(page, tokens of the pages up to the next one) from the last page that holds something already read."""
    tokens: list[str] = list(cursor.get("tokens", ()))
    while True:
        token = tokens[-1] if tokens else None
        try:
            told = reading.client.members(cursor["id"], after=token)
        except Refused:
            if token is None:
                raise
            told = {}
        rows = told.get("results") or ()
        if token is None or (rows and _at("membershipTimestamp", rows[0]) <= cursor.get("mark", 0)):
            break
        tokens.pop()
    while (after := next_after(told)) is not None:
        tokens.append(after)
        yield told, tokens
        told = reading.client.members(cursor["id"], after=after)
    yield told, tokens


def _find_list(reading: Reading, wanted: str) -> tuple[str, str]:
    found: list[tuple[str, str]] = []
    asked: Json = {"listIds": [wanted]} if wanted.isdigit() else {"query": wanted}
    offset: Any = 0
    while offset is not None:
        told = reading.client.find_lists({**asked, "count": 100, "offset": offset})
        found += [(str(one["listId"]), str(one.get("name") or "")) for one in told.get("lists") or ()]
        offset = told.get("offset") if told.get("hasMore") else None
    return only("list", wanted, found)


def _join(joined: Attribute, row: Row) -> Activity:
    at = instant(row["membershipTimestamp"])
    contact = str(row["recordId"])
    id_ = f"{joined.id}:{contact}:{milliseconds(at)}"
    return Activity(source="lists", id=id_, at=at, records=(contact,), attributes={"list": joined}, changed_at=at)


def _named(reading: Reading, cursor: Cursor | None, find: Callable[[], tuple[str, str]]) -> dict[str, Any]:
    """The cursor with id and name of its form or list, asked for once a day."""
    now = milliseconds(reading.now())
    if cursor and now - cursor["named"] < NAMED_MS:
        return dict(cursor)
    id_, name = find()
    if cursor and cursor["id"] != id_:
        cursor = None  # the name now stands for another one
    return {**(cursor or {"v": 1}), "id": id_, "name": name, "named": now}


def only(what: str, wanted: str, found: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """(id, name) of the one wanted by id or name; an id goes first, then an exact name, then one in another case."""
    known = list(found)
    for same in (
        lambda id_, _: id_ == wanted,
        lambda _, name: name.strip() == wanted.strip(),
        lambda _, name: name.strip().casefold() == wanted.strip().casefold(),
    ):
        hits = [one for one in known if same(*one)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise Missing(
                f"HubSpot has {len(hits)} {what}s named “{wanted}”. Name the {what} by its id in the connection's file."
            )
    raise Missing(f"HubSpot has no {what} “{wanted}”. Correct its name or id in the connection's file, or take it out.")


def _address(url: Any) -> Attribute:
    """Host and path of a link.

    >>> _address("https://www.example.com/pricing?email=ann").id
    'https://www.example.com/pricing'
    """
    try:
        return Attribute(id=urlsplit(str(url))._replace(query="", fragment="").geturl())
    except ValueError:
        return Attribute(id=str(url).partition("?")[0])


def _at(name: str, row: Mapping[str, Any]) -> int:
    """The row's time, 0 when it cannot be read."""
    try:
        return milliseconds(instant(row.get(name)))
    except ValueError:
        return 0
