"""A portal, an org or both from CSV exports, so that a model can be tried on real people before a CRM is touched.

``docs/emulator.md`` lists the files and their columns. Rows with a problem are left out and reported, all at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from connectors.emulator.clock import EmulatorClock, parse_ms
from connectors.emulator.hubspot.activities import MAIL_TYPES, Forms, Lists, Mail
from connectors.emulator.hubspot.definitions import FIELD_TYPES, Definition
from connectors.emulator.hubspot.rows import Row
from connectors.emulator.hubspot.values import BadValue, stored
from connectors.emulator.hubspot.world import ENGAGEMENTS, World
from connectors.emulator.salesforce.exports import FILES, load_org
from connectors.emulator.salesforce.org import Org
from connectors.emulator.sheets import Line, Problems, RowError, Sheet, guessed_type, read_sheet, slug
from connectors.emulator.wire import Refusal

_FILES = (
    "contacts",
    "companies",
    "emails",
    "calls",
    "meetings",
    "deals",
    "form_submissions",
    "email_events",
    "list_memberships",
)
#: what hangs on contacts; of deals, some on nobody
_HANGING = (*ENGAGEMENTS, "deals")
#: of what hangs on contacts: whom, as ids or addresses
CONTACTS = "contacts"
_COLUMNS = {
    "email_events": ("id", "created", "type", "recipient", "emailCampaignId", "campaign", "url", "filteredEvent"),
    "list_memberships": ("listId", "list", "recordId", "email", "membershipTimestamp"),
    "form_submissions": ("form", "email", "submittedAt", "pageUrl"),
}


#: of campaigns and lists that have a name and no id
_FIRST_NUMBER = 9_000_001


@dataclass(slots=True)
class _Import:
    """A world being filled, and what was wrong with the files."""

    folder: Path
    world: World
    problems: Problems

    def read(self, kind: str) -> Sheet | None:
        """One file's rows; None when it is not there or cannot be used."""
        path = self.folder / f"{kind}.csv"
        if not path.exists():
            return None
        if kind in _COLUMNS:
            known = {name.casefold(): name for name in _COLUMNS[kind]}
            return read_sheet(path, self.problems, lambda header: known.get(header.casefold(), slug(header)))
        labels = {definition.label.casefold(): name for name, definition in self.world.definitions[kind].items()}
        names = self.world.definitions[kind]

        def column(header: str) -> str:
            return header if header in names else labels.get(header.casefold(), slug(header))

        return read_sheet(path, self.problems, column)


def load(folder: Path, now: datetime) -> tuple[World | None, Org | None, list[str]]:
    """The portal and the org the files describe, with one clock, and the problems found.

    Either is None when none of its files is there, or its people cannot be used at all.
    """
    if not folder.is_dir():
        return None, None, [f"{folder}: there is no such folder; name the one that holds contacts.csv or Lead.csv"]
    problems = Problems()
    known = [*(f"{name}.csv" for name in _FILES), *FILES]
    files = sorted(path.name for path in folder.glob("*.csv"))
    for name in files:
        if name not in known:
            problems.say(
                name, 1, f"the emulator does not know this file; rename it to one of {', '.join(known)}, or remove it"
            )
    clock = EmulatorClock(now)
    salesforce = bool(set(files) & set(FILES))
    # of a folder with nothing in it contacts.csv is missing
    hubspot = bool(set(files) & set(known) - set(FILES)) or not salesforce
    world = _world(folder, clock, problems) if hubspot else None
    org = load_org(folder, clock, problems) if salesforce else None
    return world, org, problems.in_order()


def _world(folder: Path, clock: EmulatorClock, problems: Problems) -> World | None:
    world = World(clock)
    world.forms, world.lists, world.mail = Forms({}), Lists({}), Mail({})
    job = _Import(folder, world, problems)
    contacts = job.read("contacts")
    if contacts is None:
        if not (folder / "contacts.csv").exists():
            problems.say("contacts.csv", 1, "the file is missing; without people there is nothing to score")
        return None
    _take_records(job, "companies", job.read("companies"))
    _take_records(job, "contacts", contacts)
    world.owners = {
        owner: ("Owner", owner, f"owner-{owner}@owner.example")
        for owner in sorted({row.now.properties.get("hubspot_owner_id", "") for row in world.tables["contacts"].live()})
        if owner
    }
    for kind in _HANGING:
        _take_records(job, kind, job.read(kind))
    _take_submissions(job)
    _take_mail(job)
    _take_joins(job)
    return world


def _take_records(job: _Import, kind: str, sheet: Sheet | None) -> None:
    if sheet is None:
        return
    table = job.world.tables[kind]
    known = job.world.definitions[kind]
    for name in sheet.columns:
        if name not in known and not (kind in _HANGING and name == CONTACTS):
            type_ = guessed_type(line.cells[name] for line in sheet.lines if name in line.cells)
            known[name] = Definition(
                name=name, label=name, type=type_, field_type=FIELD_TYPES[type_][0], hubspot_defined=False
            )
        elif name in known and known[name].options:
            known[name] = _with_options(known[name], sheet)

    def take(line: Line) -> None:
        values = {name: _stored(known[name], text) for name, text in line.cells.items() if name in known}
        created_ms = _ms(values.pop(table.created, ""), job.world.clock.now_ms())
        updated_ms = _ms(values.pop(table.stamp, ""), created_ms)
        row_id = _id(values.pop("hs_object_id", ""))
        if row_id is not None and row_id in table.rows:
            raise RowError(f"hs_object_id {row_id} stands there twice; remove one of the rows")
        people = _hung_on(job.world, kind, line)
        if kind == "deals":
            values = {"closedate": "", **values, "num_associated_contacts": str(len(people))}
        try:
            row = job.world.create(kind, values, created_ms=created_ms, updated_ms=updated_ms, row_id=row_id)
        except Refusal as error:
            raise RowError("another row has this e-mail address; merge the two") from error
        job.world.link(kind, row.id, people)
        if kind == "contacts":
            _answer_to_others(job.world, row)

    job.problems.each(sheet, take)


def _hung_on(world: World, kind: str, line: Line) -> list[int]:
    """The contacts of an engagement, which has a time and at least one, or of a deal."""
    if kind in ENGAGEMENTS and "hs_timestamp" not in line.cells:
        raise RowError("hs_timestamp is empty; write when it happened, like 2026-03-04 10:22")
    hangs = kind in ENGAGEMENTS or (kind == "deals" and CONTACTS in line.cells)
    return _contacts(world, CONTACTS, line.cells.get(CONTACTS, "")) if hangs else []


def _answer_to_others(world: World, row: Row) -> None:
    """Makes a merged contact answer to the ids it took in."""
    for merged in row.now.properties.get("hs_merged_object_ids", "").split(";"):
        if merged.isdigit() and int(merged) != row.id:
            world.tables["contacts"].aliases[int(merged)] = row.id


def _with_options(definition: Definition, sheet: Sheet) -> Definition:
    """The definition with the portal's own options added, as the file shows them."""
    held = [line.cells[definition.name] for line in sheet.lines if definition.name in line.cells]
    if definition.type == "bool":
        return definition
    return replace(definition, options=tuple(dict.fromkeys((*definition.options, *held))))


def _stored(definition: Definition, text: str) -> str:
    try:
        return stored(definition, text)
    except BadValue as error:
        wanted = {
            "number": "a number, like 250 or 12.5",
            "date": "a day, like 2026-03-04",
            "datetime": "a time, like 2026-03-04 10:22",
            "bool": "true or false",
        }.get(definition.type, "a value this property takes")
        raise RowError(f"{definition.name} does not hold {wanted}; correct it or leave it empty") from error


def _contacts(world: World, column: str, text: str) -> list[int]:
    found = []
    for item in filter(None, (part.strip() for part in text.split(";"))):
        number = world.contact_of(item) if "@" in item else _id(item)
        row = world.tables["contacts"].find(number) if number is not None else None
        if row is None:
            raise RowError(f"{column} names somebody who is not in contacts.csv; add the contact or remove the row")
        found.append(row.id)
    if not found:
        raise RowError(f"{column} is empty; write the contact's id or e-mail address")
    return found


def _take_submissions(job: _Import) -> None:
    sheet = job.read("form_submissions")
    guids: dict[str, str] = {}

    def take(line: Line) -> None:
        cells = dict(line.cells)
        form, email, at_ms = (_needed(cells, name) for name in ("form", "email", "submittedAt"))
        at = _time("submittedAt", at_ms)
        guid = guids.setdefault(form, form if form in job.world.forms.names else slug(form).replace("_", "-") or "form")
        job.world.forms.names.setdefault(guid, form)
        page_url = cells.pop("pageUrl", "")
        job.world.forms.submit(guid, {"email": email, **cells}, at, page_url=page_url)

    job.problems.each(sheet, take)


def _take_mail(job: _Import) -> None:
    sheet = job.read("email_events")
    job_mail = job.world.mail
    numbers: dict[str, int] = {}

    def take(line: Line) -> None:
        cells = dict(line.cells)
        type_, recipient, created = (_needed(cells, name) for name in ("type", "recipient", "created"))
        if type_.upper() not in MAIL_TYPES:
            raise RowError(f"type is none of {', '.join(MAIL_TYPES)}; correct it")
        name = cells.get("campaign", cells.get("emailCampaignId", ""))
        if not name:
            raise RowError("campaign and emailCampaignId are both empty; write the mail's name or id")
        number = _id(cells["emailCampaignId"]) if "emailCampaignId" in cells else None
        number = numbers.setdefault(name, _FIRST_NUMBER + len(numbers)) if number is None else number
        filtered = cells.get("filteredEvent", "").casefold() == "true"
        at_ms = _time("created", created)
        job_mail.campaigns[number] = name
        job_mail.add(type_.upper(), recipient, number, at_ms, url=cells.get("url", ""), filtered=filtered)

    job.problems.each(sheet, take)


def _take_joins(job: _Import) -> None:
    sheet = job.read("list_memberships")
    numbers: dict[str, int] = {}

    def take(line: Line) -> None:
        cells = dict(line.cells)
        joined = _time("membershipTimestamp", _needed(cells, "membershipTimestamp"))
        name = cells.get("list", cells.get("listId", ""))
        if not name:
            raise RowError("list and listId are both empty; write the list's name or id")
        who = cells.get("recordId", cells.get("email", ""))
        contact = _contacts(job.world, "recordId", who)[0]
        number = _id(cells["listId"]) if "listId" in cells else None
        number = numbers.setdefault(name, _FIRST_NUMBER + len(numbers)) if number is None else number
        job.world.lists.add(number, name)
        job.world.lists.join(number, contact, joined)

    job.problems.each(sheet, take)


def _needed(cells: dict[str, str], name: str) -> str:
    if name not in cells:
        raise RowError(f"{name} is empty; fill it or remove the row")
    return cells.pop(name)


def _time(name: str, text: str) -> int:
    try:
        return parse_ms(text)
    except ValueError as error:
        raise RowError(f"{name} does not hold a time; write it like 2026-03-04 10:22") from error


def _ms(text: str, default: int) -> int:
    return parse_ms(text) if text else default


def _id(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise RowError("an id is a whole number; correct it or leave it empty")
    return int(text)
