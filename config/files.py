"""What lies in a config folder: its files as text, and what is wrong with them as files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.problems import Problem, Spot, error, nearest, warning

INSTALLATION = "leadmark.yaml"
APPROVALS = "approvals.yaml"
TITLES = "titles.yaml"

_FOLDERS = {"connections": ".yaml", "models": ".yaml", "golden": ".yaml", "lists": ".txt", "overlays": ".yaml"}
_NEEDED = {
    INSTALLATION: "the file is missing",
    "connections": "there is no connection (connections/NAME.yaml)",
    "models": "there is no model (models/NAME.yaml)",
}
#: what a file may be called, and a golden case
NAME = re.compile(r"[a-z][a-z0-9_-]*")
_LARGEST_BYTES = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of a config folder by their path relative to it, as far as they could be read as text."""

    #: path -> text; None where it is no text
    texts: Mapping[str, str | None]
    problems: tuple[Problem, ...]

    def names(self, folder: str) -> frozenset[str]:
        """The names of all files in one of the folders, the unreadable too."""
        return frozenset(Path(path).stem for path in self.texts if path.startswith(f"{folder}/"))


def look(folder: Path) -> Files:
    """Every file that is read, and a problem for each that is not or is missing; overlays are named, not read."""
    if not folder.is_dir():
        missing = error(Spot(path=str(folder)), "there is no such folder; write a starter with `leadmark init`")
        return Files(texts={}, problems=(missing,))
    texts: dict[str, str | None] = {}
    problems: list[Problem] = []
    for found in _found(folder):
        if isinstance(found, Problem):
            problems.append(found)
        elif found.parent.name != "overlays":
            text, wrong = read_text(found, found.relative_to(folder).as_posix())
            texts[found.relative_to(folder).as_posix()] = text
            problems += wrong
    for name, what in _NEEDED.items():
        if not any(path.split("/")[0] == name for path in texts):
            problems.append(error(Spot(path=name), f"{what}; write a starter with `leadmark init`"))
    return Files(texts=texts, problems=tuple(problems))


def read_text(path: Path, shown: str) -> tuple[str | None, list[Problem]]:
    """The file's text, None with a problem when it cannot be read; ``shown`` is its path in the problem."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return None, [error(Spot(path=shown), "the file is larger than 2 MB; is it the right one?")]
        return path.read_bytes().decode("utf-8-sig"), []
    except UnicodeDecodeError as failure:
        before = bytes(failure.object[: failure.start])
        spot = Spot(path=shown, line=before.count(b"\n") + 1, column=failure.start - before.rfind(b"\n"))
        return None, [error(spot, "this character is not UTF-8; save the file as UTF-8")]
    except OSError as failure:
        return None, [error(Spot(path=shown), f"cannot be read ({failure.strerror}); check path and rights")]


def _found(folder: Path) -> Iterator[Path | Problem]:
    for path in _visible(folder):
        if path.is_dir() and path.name in _FOLDERS:
            for inner in _visible(path):
                yield _named(inner, f"{path.name}/{inner.name}", _FOLDERS[path.name])
        elif path.name in (INSTALLATION, APPROVALS, TITLES):
            yield path
        else:
            known = _FOLDERS if path.is_dir() else [INSTALLATION, APPROVALS, TITLES]
            yield warning(Spot(path=path.name), f"this is not read by this version{nearest(path.name, known)}")


def _visible(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and not p.name.upper().startswith("README"))


def _named(path: Path, shown: str, suffix: str) -> Path | Problem:
    if path.suffix != suffix or path.is_dir():
        return warning(Spot(path=shown), f"this is not read; files here end in {suffix}")
    if not NAME.fullmatch(path.stem):
        rule = "a file's name begins with a small letter and holds small letters, digits, _ and -"
        return error(Spot(path=shown), f"{rule}; rename it")
    return path
