"""Commented config folders to begin with, complete enough to go live.

In their files a remark such as ``# [hubspot]`` or ``# [not hubspot, salesforce]`` says for which CRMs the next
key is, with the remarks before it and all that stands under it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from config.problems import listed, nearest

#: the CRMs whose connection file a starter has
CRMS = ("hubspot", "salesforce")
#: the folder of a config that holds the schemas for editors; the first line of every YAML file names one
SCHEMAS = ".schemas"
_SCHEMA_NAMES = ("leadmark.schema.json", "connection.schema.json", "model.schema.json", "golden.schema.json")
_MARK = re.compile(r" *# \[((?:not )?[a-z]+(?:, (?:not )?[a-z]+)*)\]")


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
        text = source.read_text(encoding="utf-8")
        path.write_text(composed(text, crm) if path.suffix == ".yaml" else text, encoding="utf-8")
    return sorted(files)


def composed(text: str, crm: Collection[str]) -> str:
    r"""The file for these CRMs, without marks and without what is for others.

    >>> text = "facts:\n  # [not hubspot]\n  rating:\n    lead: Rating\n  email: Email\n"
    >>> composed(text, ["hubspot"])
    'facts:\n  email: Email\n'
    >>> composed(text, ["salesforce"])
    'facts:\n  rating:\n    lead: Rating\n  email: Email\n'
    """
    kept = []
    left_out: int | None = None  # how far in the key is that is being left out
    key_seen = False
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" "))
        remark = line.lstrip(" ").startswith("#")
        if left_out is not None and (not key_seen or indent > left_out):
            key_seen = key_seen or not remark
            continue
        left_out, key_seen = None, False
        mark = _MARK.fullmatch(line.rstrip())
        if mark is None:
            kept.append(line)
        elif not _holds(mark[1], crm):
            left_out = indent
    return "".join(kept)


def _holds(mark: str, crm: Collection[str]) -> bool:
    return all((word.removeprefix("not ") in crm) != word.startswith("not ") for word in mark.split(", "))


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
