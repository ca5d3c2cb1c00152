"""The shipped tables (mail domains, role names, job titles) and an admin's lists, as values for scoring."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import yaml

from scoring.tables import Tables, TitleTable, folded

_FOLDER = resources.files("config")


def shipped_tables(lists: Mapping[str, frozenset[str]]) -> Tables:
    """The tables that ship with leadmark, together with the admin's lists by name."""
    free, disposable, roles, titles = _shipped()
    return Tables(lists=lists, free_domains=free, disposable_domains=disposable, role_names=roles, titles=titles)


def list_entries(text: str) -> frozenset[str]:
    r"""The entries of a list file: one a line, folded; what follows a ``#`` at the start or after a space is a remark.

    >>> sorted(list_entries("# ours\nAcme.example  # the parent\n\nBeta.example"))
    ['acme.example', 'beta.example']
    """
    return folded((" " + line).split(" #")[0] for line in text.splitlines())


@cache
def _shipped() -> tuple[frozenset[str], frozenset[str], frozenset[str], TitleTable]:
    titles = yaml.safe_load(_text("titles.yaml"))
    return (
        list_entries(_text("lists/free_domains.txt")),
        list_entries(_text("lists/disposable_domains.txt")),
        list_entries(_text("lists/role_names.txt")),
        TitleTable(seniority=_phrases(titles["seniority"]), department=_phrases(titles["department"])),
    )


def _phrases(steps: Sequence[Mapping[str, list[str]]]) -> tuple[tuple[str, str], ...]:
    """The phrases in the order they are tried, each with its meaning; a meaning may come at several steps."""
    return tuple(
        (phrase.casefold(), meaning) for step in steps for meaning, phrases in step.items() for phrase in phrases
    )


def _text(path: str) -> str:
    return (_FOLDER / path).read_text(encoding="utf-8")
