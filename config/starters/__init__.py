"""Commented config folders to begin with, complete enough to go live.

A starter is its own folder laid over ``shared``, which has what all of them have. In their files a remark such as
``# [hubspot]`` or ``# [bant, not salesforce]`` says for which starters and CRMs the next key is, with the remarks
before it and all that stands under it; all of its words must hold. ``MODEL`` is replaced by the starter's model.
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
_SCHEMA_NAMES = tuple(f"{name}.schema.json" for name in ("leadmark", "connection", "model", "golden", "approvals"))
#: what every starter has, at the places of the written config; a starter's own file of the same place goes before
_SHARED = "shared"
_WORD = r"(?:not )?[a-z][a-z0-9-]*"
_MARK = re.compile(rf" *# \[({_WORD}(?:, {_WORD})*)\]")
_MODEL = re.compile(r"\bMODEL\b")


class StarterError(Exception):
    """The starter was not written; the message says why and what to do."""


def names() -> tuple[str, ...]:
    """The starters there are.

    >>> names()
    ('b2b-saas', 'bant', 'services')
    """
    return tuple(sorted(each.name for each in _here().iterdir() if (each / "models").is_dir()))


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
    sources = dict(_files(_here() / _SHARED, Path())) | dict(_files(_here() / starter, Path()))
    files = {folder / path: source for path, source in sources.items() if _wanted(path, crm)}
    files |= {folder / SCHEMAS / name: resources.files("config") / name for name in _SCHEMA_NAMES}
    standing = sorted(str(path) for path in files if path.exists())
    if standing:
        raise StarterError(f"{standing[0]} already exists; nothing was written. Choose an empty folder")
    (model,) = (path.stem for path in sources if path.parts[0] == "models")
    for path, source in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        if path.suffix == ".yaml":
            text = _MODEL.sub(model, composed(text, {starter, *crm}))
        path.write_text(text, encoding="utf-8")
    return sorted(files)


def composed(text: str, words: Collection[str]) -> str:
    r"""The file for a starter and CRMs, by their names, without marks and without what is for others.

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
        elif not _holds(mark[1], words):
            left_out = indent
    return "".join(kept)


def _holds(mark: str, words: Collection[str]) -> bool:
    return all((word.removeprefix("not ") in words) != word.startswith("not ") for word in mark.split(", "))


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
