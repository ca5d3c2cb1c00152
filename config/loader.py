"""A config folder made into Settings, or every mistake in it at once.

Read are ``leadmark.yaml``, ``connections/*.yaml``, ``models/*.yaml``, ``golden/*.yaml``, ``lists/*.txt``,
``titles.yaml`` and ``approvals.yaml``. No secret is needed or read.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from config.approvals import ApprovalsFile, check_approvals
from config.checks import Folder, check
from config.connection_checks import crm_of
from config.files import APPROVALS, INSTALLATION, TITLES, Files, look, read_text
from config.golden import GoldenFile
from config.golden_checks import check_golden
from config.hubspot import HubSpotConnection
from config.model_checks import delivered_by
from config.overlay import overlaid
from config.problems import Problem, error, in_order, unknown
from config.reading import Document, read
from config.salesforce import SalesforceConnection
from config.settings import Connection, Installation, Settings
from config.tables import check_list, list_entries, shipped_tables, shipped_titles
from config.titles import TitlesFile, check_titles
from config.validating import unknown_key, validate
from scoring.model import ScoringModel

PartT = TypeVar("PartT", bound=BaseModel)


def load(folder: Path, overlay: Path | None = None) -> tuple[Settings | None, list[Problem]]:
    """The settings, None while one error stands; and every problem, sorted by file and position.

    ``overlay`` is a YAML file whose keys name files (``leadmark``, ``connections/hubspot``) and are laid over them.
    """
    files = look(folder)
    documents, problems = _documents(files, folder, overlay)
    problems += files.problems
    installations, wrong = _valid({"": documents[INSTALLATION]} if INSTALLATION in documents else {}, Installation)
    problems += wrong
    connections, wrong = _connections(_of(documents, "connections"))
    problems += wrong
    models, wrong = _valid(_of(documents, "models"), ScoringModel)
    problems += wrong
    golden, wrong = _valid(_of(documents, "golden"), GoldenFile)
    problems += wrong
    approvals, wrong = _valid({"": documents[APPROVALS]} if APPROVALS in documents else {}, ApprovalsFile)
    problems += wrong
    if APPROVALS in documents:
        problems += check_approvals(documents[APPROVALS], {name: models.get(name) for name in files.names("models")})
    titles, wrong = _valid({"": documents[TITLES]} if TITLES in documents else {}, TitlesFile)
    problems += wrong
    if TITLES in documents:
        problems += check_titles(documents[TITLES], shipped_titles())
    together = Folder(
        installation=documents.get(INSTALLATION),
        connections=_of(documents, "connections"),
        models=_of(documents, "models"),
        sound={name: one for name, one in models.items() if f"models/{name}.yaml" not in {p.path for p in problems}},
        model_names=files.names("models"),
        list_names=files.names("lists"),
        complete=_of(documents, "connections").keys() == files.names("connections"),
    )
    problems += check(together)
    problems += _check_golden(_of(documents, "golden"), together)
    lists = {name: files.texts[f"lists/{name}.txt"] or "" for name in files.names("lists")}
    problems += [problem for name, text in lists.items() for problem in check_list(f"lists/{name}.txt", text)]
    problems = in_order(problems)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    installation = installations[""]
    settings = Settings(
        folder=folder,
        store=_absolute(folder, installation.store),
        time_zone=installation.time_zone,
        primary=installation.primary,
        retention=installation.retention,
        connections=_in_order(connections, installation.order),
        order=installation.order,
        prefer=installation.prefer,
        worker=installation.worker,
        segments=installation.segments,
        models=models,
        model_texts={name: files.texts[f"models/{name}.yaml"] or "" for name in models},
        tables=shipped_tables({name: list_entries(text) for name, text in lists.items()}, titles.get("")),
        golden={f"{file}/{name}": case for file, cases in golden.items() for name, case in cases.cases.items()},
        approved=approvals[""].approved if approvals else None,
    )
    return settings, problems


def documents_of(folder: Path, overlay: Path | None = None) -> dict[str, Document]:
    """The readable YAML files of a folder by path, the overlay laid over them."""
    return _documents(look(folder), folder, overlay)[0]


def _documents(files: Files, folder: Path, overlay: Path | None) -> tuple[dict[str, Document], list[Problem]]:
    """The readable YAML files by path, the overlay laid over them."""
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for path, text in files.texts.items():
        if text is not None and path.endswith(".yaml"):
            document, wrong = read(path, text)
            problems += wrong
            if document is not None:
                documents[path] = document
    if overlay is None:
        return documents, problems
    shown = overlay.relative_to(folder).as_posix() if overlay.is_relative_to(folder) else overlay.name
    text, wrong = read_text(overlay, shown)
    problems += wrong
    above, wrong = read(shown, text or "")
    problems += wrong
    if above is None:
        return documents, problems
    documents, wrong = overlaid(documents, above)
    return documents, problems + wrong


def _of(documents: Mapping[str, Document], folder: str) -> dict[str, Document]:
    """The documents in one of the folders, by name."""
    return {Path(path).stem: document for path, document in documents.items() if path.startswith(f"{folder}/")}


def _valid(documents: Mapping[str, Document], kind: type[PartT]) -> tuple[dict[str, PartT], list[Problem]]:
    """The valid documents as parts, and every mistake in the others."""
    parts: dict[str, PartT] = {}
    problems: list[Problem] = []
    for name, document in documents.items():
        part, wrong = validate(document, kind)
        problems += wrong
        if part is not None:
            parts[name] = part
    return parts, problems


def _check_golden(golden: Mapping[str, Document], folder: Folder) -> Iterator[Problem]:
    delivered = delivered_by(tuple(folder.connections.values())) if folder.complete else None
    for document in golden.values():
        yield from check_golden(document, delivered, folder.model_names, folder.list_names)


#: what HubSpot's own sync keeps in a contact: the ids of the lead and the contact it is linked to
_LINKS = {"lead": "salesforceleadid", "contact": "salesforcecontactid"}


def _connections(documents: Mapping[str, Document]) -> tuple[dict[str, Connection], list[Problem]]:
    """The valid connections; each has its file's name."""
    kinds: Mapping[str, type[HubSpotConnection | SalesforceConnection]] = {
        "hubspot": HubSpotConnection,
        "salesforce": SalesforceConnection,
    }
    parts: dict[str, Connection] = {}
    problems: list[Problem] = []
    for name, document in documents.items():
        crm = crm_of(document)
        if crm is None or document.get(("crm",)) != crm:
            problems.append(_no_crm(document, kinds))
        if crm is None:
            continue
        if ("name",) in document.nodes:
            message = f"{unknown_key('name', [])}; the connection is called as its file, {name}"
            problems.append(error(document.key(("name",)), message))
        part, wrong = validate(document, kinds[crm], {"name": name, "crm": crm})
        problems += wrong
        if part is not None:
            parts[name] = part
    return _linked(parts), problems


def _no_crm(document: Document, known: Collection[str]) -> Problem:
    written, spot = document.get(("crm",)), document.at(("crm",))
    advice = f"write crm: {' or crm: '.join(known)}"
    if written is None:
        return error(spot, f'"crm" is missing in this file; {advice}')
    return unknown(spot, "leadmark knows no CRM", str(written), known, advice)


def _linked(connections: Mapping[str, Connection]) -> dict[str, Connection]:
    """The connections, a portal linked to the one org there is when it says nothing of links."""
    orgs = [one.name for one in connections.values() if one.crm == "salesforce"]
    if len(orgs) != 1:
        return dict(connections)
    return {
        name: one.model_copy(update={"links": {orgs[0]: _LINKS}}) if one.crm == "hubspot" and one.links is None else one
        for name, one in connections.items()
    }


def _in_order(connections: Mapping[str, Connection], order: Sequence[str]) -> tuple[Connection, ...]:
    """Those that ``order`` names first, the others by name."""
    return tuple(connections[name] for name in dict.fromkeys([*order, *sorted(connections)]))


def _absolute(folder: Path, store: str) -> str:
    """The store's folder, a relative one taken from the config folder; an address or a reference stays as it is."""
    return store if re.match(r"[a-z0-9+]+:", store) else str((folder / store).resolve())
