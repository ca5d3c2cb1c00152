"""What must hold within a Salesforce connection: its address, login, facts and activities, beyond one value.

Every check reads the document as written, so it finds its mistakes even where another part is wrong.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.model_checks import names_in
from config.problems import Problem, error, nearest, warning
from config.reading import Document, Loc, texts_in
from config.salesforce import RELATIONS

#: key -> the flow it goes with
_FLOWS = {"client_secret": "client_credentials", "username": "jwt", "private_key": "jwt"}
_NO_ACCOUNT = "a lead has no account"
_CAMPAIGN = "Campaign"


def check_salesforce(connection: Document) -> Iterator[Problem]:
    """Everything that does not fit together in the connection."""
    yield from _address(connection)
    yield from _login(connection)
    yield from _scope(connection)
    yield from _facts(connection)
    for loc, activity in connection.each("activities", "*"):
        if isinstance(activity, dict):
            yield from _activity(connection, loc, activity)


def _address(connection: Document) -> Iterator[Problem]:
    loc = ("org", "url")
    written = connection.get(loc)
    if not isinstance(written, str) or written.startswith(("env:", "file:/")):
        return
    address = urlsplit(written)
    host = address.hostname or ""
    advice = "write the org's My Domain, https://acme.my.salesforce.com (Setup, My Domain)"
    if host.endswith(".lightning.force.com") or host in ("login.salesforce.com", "test.salesforce.com"):
        yield error(connection.at(loc), f"{host} is for people in a browser, not for the API; {advice}")
    elif host and (address.path.strip("/") or address.query or address.fragment):
        yield error(connection.at(loc), f"only the beginning of the address, up to the host; {advice}")


def _login(connection: Document) -> Iterator[Problem]:
    flow = connection.get(("login", "flow"))
    for key, owner in _FLOWS.items():
        if ("login", key) in connection.nodes and flow in _FLOWS.values() and flow != owner:
            yield error(connection.key(("login", key)), f'"{key}" goes with flow: {owner}, not with flow: {flow}')
    username = connection.get(("login", "username"))
    if flow == "jwt" and isinstance(username, str) and username and not _user(username):
        message = '"username" must be a user name of Salesforce (it has an @), env:NAME or file:/path'
        yield error(connection.at(("login", "username")), message)


def _user(text: str) -> bool:
    return "@" in text or text.startswith(("env:", "file:/"))


def _scope(connection: Document) -> Iterator[Problem]:
    for loc, condition in connection.each("scope", "*"):
        for place, path in names_in(loc, condition):
            if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", path, re.ASCII):
                message = f'"{path}" is no field: write its API name (Status), or a related record\'s (RecordType.Name)'
                yield error(connection.key(place), message)
            elif loc[-1] == "lead" and path.startswith("Account."):
                yield error(connection.key(place), f"{_NO_ACCOUNT}; test one of its own fields, such as Company")


def _facts(connection: Document) -> Iterator[Problem]:
    patterns = (("facts", "*"), ("facts", "*", "lead"), ("facts", "*", "contact"))
    for loc, path in (found for pattern in patterns for found in connection.each(*pattern)):
        if not isinstance(path, str):
            continue
        if path in RELATIONS:
            yield error(connection.at(loc), f'"{path}" is a whole record; name a field of it, as {path}.Field')
        elif path.startswith("Account.") and loc[2:] == ("lead",):
            advice = "write one of its own fields, such as Company, or leave lead out"
            yield error(connection.at(loc), f"{_NO_ACCOUNT}; {advice}")
        elif path.startswith("Account.") and not loc[2:]:
            advice = f"write {{contact: {path}}}, with a lead: field of its own beside it"
            yield error(connection.at(loc), f"{_NO_ACCOUNT}; {advice}")


#: fields of activities in which people write what they like
_FREE_TEXT = frozenset({"Subject", "Description"})


def _activity(connection: Document, loc: Loc, activity: Mapping[str, Any]) -> Iterator[Problem]:
    source = activity.get("from")
    if source == "date_field" and not activity.get("field"):
        yield error(connection.key(loc), f'"{loc[-1]}" comes from date_field: say which in "field"')
    if source != "date_field" and "field" in activity:
        yield error(connection.key((*loc, "field")), f'"field" goes with from: date_field, not with from: {source}')
    if source == "date_field" and "not_created_by" in activity:
        spot = connection.key((*loc, "not_created_by"))
        yield error(spot, '"not_created_by" goes with what somebody creates; nobody is known to have set a date')
    for step, name in texts_in(activity.get("not_created_by")):
        if "@" not in name:
            spot = connection.at((*loc, "not_created_by", *step))
            yield error(spot, "a user is named by user name or e-mail address, with an @; other names fit nobody")
    for place, _ in connection.each(*map(str, loc), "where", "*"):
        for why in _wrong(str(place[-1]), source):
            yield error(connection.key(place), why)
    yield from _kept(connection, loc, source)


def _kept(connection: Document, loc: Loc, source: Any) -> Iterator[Problem]:
    for place, path in connection.each(*map(str, loc), "keep", "*"):
        for why in _wrong(path, source) if isinstance(path, str) else ():
            yield error(connection.at(place), why)
        if isinstance(path, str) and path in _FREE_TEXT and connection.get((*loc, "classes", str(place[-1]))) is None:
            message = f"{path} is free text, and every different text would be a touchpoint of its own"
            advice = f"class it: classes: {{{place[-1]}: {{pricing: [price, quote]}}}}"
            yield warning(connection.at(place), f"{message}; {advice}")


def _wrong(attribute: str, source: Any) -> Iterator[str]:
    """Why an item of the source has no such attribute; nothing where it may."""
    relation, dot, _ = attribute.rpartition(".")
    if source == "date_field":
        if attribute != "field":
            yield f'a date_field has one attribute, field (the name of the date), and not "{attribute}"'
    elif source != "CampaignMember":
        if attribute.partition(".")[0] == _CAMPAIGN:
            yield f'"{attribute}" goes with from: CampaignMember, and not with from: {source}, which has no campaign'
    elif dot and relation != _CAMPAIGN and (close := nearest(relation, [_CAMPAIGN])):
        yield f'"{relation}" is no record that a CampaignMember points to{close}'
