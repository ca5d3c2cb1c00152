"""A config folder made into Settings, or every mistake in it at once.

Read are ``leadmark.yaml``, ``connections/*.yaml``, ``models/*.yaml`` and ``lists/*.txt``. No secret is needed or read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.checks import Folder, check
from config.overlay import overlaid
from config.problems import Problem, Spot, error, nearest, warning
from config.reading import Document, read
from config.settings import HubSpotConnection, Installation, Settings
from config.tables import list_entries, shipped_tables
from config.validating import unknown_key, validate
from scoring.model import ScoringModel

_INSTALLATION = "leadmark.yaml"
_FOLDERS = {"connections": ".yaml", "models": ".yaml", "lists": ".txt", "overlays": ".yaml"}
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_LARGEST_BYTES = 2_000_000


def load(folder: Path, overlay: Path | None = None) -> tuple[Settings | None, list[Problem]]:
    """The settings, None while one error stands; and every problem, sorted by file and position.

    ``overlay`` is a YAML file whose keys name files (``leadmark``, ``connections/hubspot``) and are laid over them.
    """
    files = _Files(folder=folder)
    files.look()
    documents = {path: document for path, text in files.texts.items() if (document := files.read(path, text))}
    if overlay is not None and (text := files.text(overlay)) is not None:
        path = overlay.relative_to(folder).as_posix() if overlay.is_relative_to(folder) else overlay.name
        if document := files.read(path, text):
            documents, wrong = overlaid(documents, document)
            files.problems += wrong
    settings = _settings(files, documents)
    problems = sorted(
        set(files.problems), key=lambda problem: (problem.path, problem.line, problem.column, problem.message)
    )
    wrong_at_all = any(problem.severity == "error" for problem in problems)
    return (None if wrong_at_all else settings), problems


@dataclass(kw_only=True)
class _Files:
    """What lies in the folder, and what was found wrong so far."""

    folder: Path
    #: the YAML files to be read, by path relative to the folder
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def look(self) -> None:
        if not self.folder.is_dir():
            self.problems.append(
                error(Spot(path=str(self.folder)), "there is no such folder; write a starter with `leadmark init`")
            )
            return
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(".") or path.name.upper().startswith("README"):
                continue
            if path.is_dir() and path.name in _FOLDERS:
                self.look_into(path, _FOLDERS[path.name])
            elif path.name == _INSTALLATION:
                self.take(path)
            else:
                known = [_INSTALLATION] if path.is_file() else list(_FOLDERS)
                self.not_read(path, nearest(path.name, known))
        for name, what in ((_INSTALLATION, "the file"), ("connections", "any file"), ("models", "any file")):
            if not any(text.split("/")[0] == name for text in self.texts) and not self.blamed(name):
                advice = "write a starter with `leadmark init`"
                self.problems.append(
                    error(
                        Spot(path=name), f"{what} {'is missing' if what == 'the file' else 'is missing here'}; {advice}"
                    )
                )

    def blamed(self, name: str) -> bool:
        return any(problem.path.split("/")[0] == name and problem.severity == "error" for problem in self.problems)

    def look_into(self, folder: Path, suffix: str) -> None:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.upper().startswith("README"):
                continue
            if path.suffix != suffix or path.is_dir():
                self.not_read(path, f"; files here end in {suffix}")
            elif not _NAME.fullmatch(path.stem):
                spot = Spot(path=self.relative(path))
                self.problems.append(
                    error(spot, "a file's name begins with a small letter and holds small letters, digits, _ and -")
                )
            elif folder.name != "overlays":
                self.take(path)

    def take(self, path: Path) -> None:
        text = self.text(path)
        if text is None:
            return
        if path.suffix == ".txt":
            self.lists[path.stem] = list_entries(text)
            if not self.lists[path.stem]:
                self.problems.append(
                    warning(Spot(path=self.relative(path)), "this list has no entry, so nothing is ever in it")
                )
        else:
            self.texts[self.relative(path)] = text

    def text(self, path: Path) -> str | None:
        spot = Spot(path=self.relative(path))
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                self.problems.append(error(spot, "the file is larger than 2 MB; is it the right one?"))
                return None
            return path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            before = bytes(failure.object[: failure.start])
            here = Spot(path=spot.path, line=before.count(b"\n") + 1, column=failure.start - before.rfind(b"\n"))
            self.problems.append(error(here, "this character is not UTF-8; save the file as UTF-8"))
        except OSError as failure:
            self.problems.append(error(spot, f"cannot be read ({failure.strerror}); check path and rights"))
        return None

    def read(self, path: str, text: str) -> Document | None:
        document, wrong = read(path, text)
        self.problems += wrong
        return document

    def not_read(self, path: Path, why: str) -> None:
        self.problems.append(warning(Spot(path=self.relative(path)), f"this is not read by this version{why}"))

    def relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name


def _settings(files: _Files, documents: Mapping[str, Document]) -> Settings | None:
    """The settings as far as every part is valid; adds what is wrong to the files' problems."""
    installation: Installation | None = None
    if _INSTALLATION in documents:
        installation, wrong = validate(documents[_INSTALLATION], Installation)
        files.problems += wrong
    connections = [_connection(files, document) for name, document in _named(documents, "connections")]
    models: dict[str, ScoringModel] = {}
    for name, document in _named(documents, "models"):
        model, wrong = validate(document, ScoringModel)
        files.problems += wrong
        if model is not None:
            models[name] = model
    readable = dict(_named(documents, "connections"))
    files.problems += check(
        Folder(
            installation=documents.get(_INSTALLATION),
            connections=readable,
            models=dict(_named(documents, "models")),
            lists=frozenset(files.lists),
            complete=bool(readable) and len(readable) == sum(path.startswith("connections/") for path in files.texts),
        )
    )
    if installation is None or any(problem.severity == "error" for problem in files.problems):
        return None
    given = {name: getattr(installation, name) for name in Installation.model_fields}
    return Settings(
        **{**given, "store": _absolute(files.folder, installation.store)},
        folder=files.folder,
        connections=tuple(connection for connection in connections if connection),
        models=models,
        model_texts={name: files.texts[f"models/{name}.yaml"] for name in models},
        tables=shipped_tables(files.lists),
    )


def _named(documents: Mapping[str, Document], folder: str) -> Iterator[tuple[str, Document]]:
    for path, document in documents.items():
        if path.startswith(f"{folder}/"):
            yield Path(path).stem, document


def _connection(files: _Files, document: Document) -> HubSpotConnection | None:
    crm: Any = document.get(("crm",))
    if crm == "salesforce":
        message = "salesforce is not supported in this version: this release reads hubspot"
        files.problems.append(error(document.at(("crm",)), message))
        return None
    if document.get(("name",)) is not None:
        files.problems.append(
            error(document.key(("name",)), unknown_key("name", []) + "; the file's name is the connection's")
        )
    connection, wrong = validate(document, HubSpotConnection, {"name": Path(document.path).stem})
    files.problems += wrong
    return connection


def _absolute(folder: Path, store: str) -> str:
    """The store's folder, relative ones taken from the config folder; an address or a reference stays as it is."""
    return store if re.match(r"[a-z0-9+]+:", store) else str((folder / store).resolve())
