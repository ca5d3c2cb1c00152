"""An org from CSV files as Data Loader exports them.

Columns are API names or labels in any case; every other column becomes a custom field. Ids are kept. What a row refers
to must be in its file; where that file is not given at all, the column is left empty and said once. Users who are
missing are made up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.emulator.clock import EmulatorClock, iso, parse_ms
from connectors.emulator.salesforce.fields import Field, ObjectType
from connectors.emulator.salesforce.ids import normalised
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.values import stored
from connectors.emulator.sheets import Line, Problems, RowError, Sheet, guessed_type, read_sheet

#: in the order they are read: what others refer to comes first
_OBJECTS = (
    "User",
    "Account",
    "Campaign",
    "Lead",
    "Contact",
    "Opportunity",
    "OpportunityContactRole",
    "CampaignMember",
    "Task",
    "Event",
)
FILES = tuple(f"{name}.csv" for name in _OBJECTS)
_SYSTEM = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "IsDeleted", "IsArchived")
#: object -> groups of fields of which one must be filled
_NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "OpportunityContactRole": (("OpportunityId",), ("ContactId",)),
    "CampaignMember": (("CampaignId",), ("LeadId", "ContactId")),
}
_WANTED = {
    "boolean": "true or false",
    "int": "a whole number, like 250",
    "date": "a day, like 2026-03-04",
    "datetime": "a time, like 2026-03-04T10:22:00.000Z",
    "reference": "an id of 15 or 18 characters",
    "id": "an id of 15 or 18 characters",
}
_NUMBERS = ("double", "currency", "percent")


@dataclass(slots=True)
class _Import:
    """An org being filled, and what was wrong with the files."""

    org: Org
    sheets: Mapping[str, Sheet]
    problems: Problems
    #: object -> ids its file has, whether or not their rows could be used
    ids: dict[str, set[str]] = field(default_factory=dict)
    #: object -> ids whose rows were taken
    taken: dict[str, set[str]] = field(default_factory=dict)


def load_org(folder: Path, clock: EmulatorClock, problems: Problems) -> Org | None:
    """The org a folder's files describe; None when neither ``Lead.csv`` nor ``Contact.csv`` can be used."""
    org = Org(clock)
    sheets = {}
    for name in _OBJECTS:
        path = folder / f"{name}.csv"
        sheet = read_sheet(path, problems, _reader(org.objects[name])) if path.exists() else None
        if sheet is not None:
            sheets[name] = sheet
    if not {"Lead", "Contact"} & set(sheets):
        if not any((folder / f"{name}.csv").exists() for name in ("Lead", "Contact")):
            problems.say(
                "Lead.csv", 1, "neither this file nor Contact.csv is there; without people there is nothing to score"
            )
        return None
    job = _Import(org, sheets, problems)
    for name, sheet in sheets.items():
        _add_fields(org.objects[name], sheet)
        job.ids[name] = {_id_or_nothing(line.cells.get("Id", "")) for line in sheet.lines}
    _add_users(job)
    for name in sheets:
        _take(job, name)
    return org


def _reader(object_: ObjectType) -> Any:
    """Reads a header cell as a field of an object: an API name, a label, or a custom field's new name."""
    names = {name.casefold(): name for name in object_.fields}
    labels = {known.label.casefold(): name for name, known in object_.fields.items()}

    def column(header: str) -> str:
        folded = header.casefold()
        return names.get(folded) or labels.get(folded) or custom_name(header)

    return column


def custom_name(header: str) -> str:
    """The API name of a custom field for a column; "" when nothing of the header can stand in one.

    >>> custom_name("Lead Source (2026)"), custom_name("seats__c"), custom_name("Owner.Email")
    ('Lead_Source_2026__c', 'seats__c', 'Owner_Email__c')
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", header.removesuffix("__c").removesuffix("__C")).strip("_")[:40].strip("_")
    if not name:
        return ""
    return f"{name}__c" if name[0].isalpha() else f"C_{name}"[:40] + "__c"


def _add_fields(object_: ObjectType, sheet: Sheet) -> None:
    """Adds the fields of columns nobody declared, and the org's own picklist values."""
    for name in sheet.columns:
        held = [line.cells[name] for line in sheet.lines if name in line.cells]
        known = object_.fields.get(name)
        if known is None:
            object_.fields[name] = _guessed(name, held)
        elif known.type == "picklist":
            known.values = tuple(dict.fromkeys((*known.values, *held)))


def _guessed(name: str, held: list[str]) -> Field:
    label = name.removesuffix("__c").replace("_", " ")
    if held and all(text.casefold() in ("true", "false") for text in held):
        return Field(name=name, label=label, type="boolean", custom=True)
    guessed = guessed_type(held)
    if guessed == "number":
        scale = max(len(text.partition(".")[2]) for text in held)
        return Field(name=name, label=label, type="double", precision=18, scale=min(scale, 17), custom=True)
    if guessed != "string":
        return Field(name=name, label=label, type=guessed, custom=True)
    longest = max(map(len, held), default=0)
    type_, length = ("string", 255) if longest <= 255 else ("textarea", max(32_768, longest))
    return Field(name=name, label=label, type=type_, length=length, custom=True)


def _add_users(job: _Import) -> None:
    """Somebody for every id of a user that ``User.csv`` does not have; nothing more is known of them."""
    ids = {
        id_
        for name, sheet in job.sheets.items()
        for column in sheet.columns
        if "User" in job.org.objects[name].fields[column].refers_to
        for line in sheet.lines
        if (id_ := _id_or_nothing(line.cells.get(column, ""))).startswith("005")
    }
    unknown = sorted(ids - job.ids.get("User", set()))
    for number, id_ in enumerate(unknown, 1):
        address = f"user-{number}@owner.example"
        values = {"Id": id_, "FirstName": "User", "LastName": str(number), "Username": address, "Email": address}
        job.org.create("User", values)
    job.taken["User"] = set(unknown)


def _take(job: _Import, name: str) -> None:
    org, sheet, fields = job.org, job.sheets[name], job.org.objects[name].fields
    taken = job.taken.setdefault(name, set())
    seen: set[str] = set()
    missing = {column for column in sheet.columns if _has_no_file(job, name, fields[column])}
    for column in sorted(missing):
        files = " or ".join(f"{other}.csv" for other in fields[column].refers_to)
        job.problems.say(sheet.name, 1, f"{column} refers to records of {files}, which is not there; it is left empty")

    def take(line: Line) -> None:
        values = {column: _stored(fields[column], text) for column, text in line.cells.items() if column not in missing}
        system = {column: values.pop(column, None) for column in _SYSTEM}
        id_ = system["Id"] or ""
        if id_ and not id_.startswith(org.objects[name].key_prefix):
            raise RowError(f"Id is no id of this object; those begin with {org.objects[name].key_prefix}")
        if id_ and id_ in seen:
            raise RowError("its Id stands there twice; remove one of the rows")
        seen.add(id_)
        values = {column: value for column, value in values.items() if _there(job, name, fields[column], value)}
        for group in _NEEDED.get(name, ()):
            if not any(values.get(column) for column in group):
                raise RowError(
                    f"{' and '.join(group)} {'are' if len(group) > 1 else 'is'} empty; fill it or remove the row"
                )
        created_ms = _ms(system["CreatedDate"], org.now_ms())
        stamp_ms = _ms(system["SystemModstamp"] or system["LastModifiedDate"], created_ms)
        row = org.create(name, {"Id": id_, **values}, created_ms=created_ms, stamp_ms=stamp_ms)
        row.deleted, row.archived = bool(system["IsDeleted"]), bool(system["IsArchived"])
        taken.add(row.id)

    job.problems.each(sheet, take)


def _stored(known: Field, text: str) -> Any:
    """A cell as the org stores it; times without an offset are UTC."""
    try:
        if known.type == "boolean":
            return stored(known, {"1": "true", "0": "false"}.get(text, text))
        if known.type == "datetime":
            return shown(parse_ms(text))
        if known.type == "date":
            return iso(parse_ms(text))[:10]
        return stored(known, text)
    except (Refused, ValueError, OverflowError) as error:
        if isinstance(error, Refused) and error.code == "STRING_TOO_LONG":
            raise RowError(f"{known.name} is longer than {known.length} characters; shorten it") from error
        wanted = "a number within its range, like 12.5" if known.type in _NUMBERS else _WANTED.get(known.type, "a text")
        raise RowError(f"{known.name} does not hold {wanted}; correct it or leave it empty") from error


def _has_no_file(job: _Import, name: str, known: Field) -> bool:
    """True for a reference to records of which no file is given; users are made up."""
    targets = [other for other in known.refers_to if other in _OBJECTS]
    return (
        bool(targets) and name not in targets and not any(other in job.sheets or other == "User" for other in targets)
    )


def _there(job: _Import, name: str, known: Field, value: Any) -> bool:
    """False for a reference to what the emulator does not have, such as a queue; a RowError when it should be there."""
    if known.type != "reference" or not value:
        return True
    target = job.org.object_of(value)
    if target not in known.refers_to or target not in _OBJECTS:
        return False
    # files read later, and this one's own other rows, count as they stand
    ids = job.taken[target] if target in job.taken and target != name else job.ids.get(target, set())
    if value not in ids:
        raise RowError(
            f"{known.name} names a record that {target}.csv lacks or that was left out; mend that or this row"
        )
    return True


def _id_or_nothing(text: str) -> str:
    try:
        return normalised(text)
    except Refused:
        return ""


def _ms(text: str | None, default: int) -> int:
    return parse_ms(text) if text else default
