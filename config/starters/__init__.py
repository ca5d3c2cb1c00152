"""Commented config folders to begin with, complete enough to go live."""

from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from config.problems import listed, nearest

#: the CRMs whose connection file a starter has
CRMS = ("hubspot",)
#: the folder of a config that holds the schemas for editors; the first line of every YAML file names one
SCHEMAS = ".schemas"
_SCHEMA_NAMES = ("leadmark.schema.json", "connection.schema.json", "model.schema.json")


class StarterError(Exception):
    """The starter was not written; the message says why and what to do."""


def names() -> tuple[str, ...]:
    """The starters there are.

    >>> names()
    ('b2b-saas',)
    """
    return tuple(sorted(each.name for each in _here().iterdir() if (each / "leadmark.yaml").is_file()))


def write(starter: str, folder: Path, crm: Sequence[str] = ("hubspot",)) -> list[Path]:
    """The files written into the folder, which is made when missing; connections in mode shadow.

    Raises StarterError, and writes nothing, for an unknown starter or CRM, or when a file already stands there.
    """
    if starter not in names():
        raise StarterError(
            f'there is no starter "{starter}"{nearest(starter, names())}; starters are {listed(names())}'
        )
    for each in crm:
        if each not in CRMS:
            raise StarterError(f'CRM "{each}" is not supported in this version; this release reads {listed(CRMS)}')
    files = {folder / path: source for path, source in _files(_here() / starter, Path()) if _wanted(path, crm)}
    files |= {folder / SCHEMAS / name: resources.files("config") / name for name in _SCHEMA_NAMES}
    standing = sorted(str(path) for path in files if path.exists())
    if standing:
        raise StarterError(f"{standing[0]} already exists; nothing was written. Choose an empty folder")
    for path, source in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
    return sorted(files)


def _here() -> Traversable:
    return resources.files("config.starters")


def _wanted(path: Path, crm: Sequence[str]) -> bool:
    return path.parts[0] != "connections" or path.stem in crm


def _files(folder: Traversable, below: Path) -> Iterator[tuple[Path, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, below / each.name)
        elif not each.name.startswith((".", "__")):
            yield below / each.name, each
