"""The shipped tables (mail domains, role names, job titles) and an admin's lists, as values for scoring."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import yaml
from disposable_email_domains import blocklist

from config.problems import Problem, Spot, warning
from config.titles import TitlesFile, phrases_of
from scoring.tables import Tables, TitleTable, folded

_FOLDER = resources.files("config")
_REMARK = re.compile(r"(?:^|\s)#.*")


def shipped_tables(lists: Mapping[str, frozenset[str]], titles: TitlesFile | None = None) -> Tables:
    """The tables that ship with leadmark, with the admin's lists by name, and own titles before the shipped ones."""
    free, disposable, roles, table = _shipped()
    if titles is not None:
        seniority, department = phrases_of(titles.seniority), phrases_of(titles.department)
        table = TitleTable(seniority=seniority + table.seniority, department=department + table.department)
    return Tables(lists=lists, free_domains=free, disposable_domains=disposable, role_names=roles, titles=table)


def shipped_titles() -> TitleTable:
    """The titles that ship with leadmark."""
    return _shipped()[3]


def list_entries(text: str) -> frozenset[str]:
    r"""The entries of a list file: one a line, folded; a ``#`` at the start or after white space begins a remark.

    >>> sorted(list_entries("# ours\nAcme.example  # the parent\n\nBeta.example"))
    ['acme.example', 'beta.example']
    """
    return folded(_REMARK.sub("", line) for line in text.splitlines())


def check_list(path: str, text: str) -> Iterator[Problem]:
    """What is odd in a list file: no entry at all, and a ``#`` inside an entry, where a remark may be meant."""
    if not list_entries(text):
        yield warning(Spot(path=path), "this list has no entry, so nothing is ever in it")
    for number, line in enumerate(text.splitlines(), 1):
        column = _REMARK.sub("", line).find("#") + 1
        if column:
            says = "this # is part of the entry, as no space stands before it; put one there if a remark begins here"
            yield warning(Spot(path=path, line=number, column=column), says)


@cache
def _shipped() -> tuple[frozenset[str], frozenset[str], frozenset[str], TitleTable]:
    titles = TitlesFile.model_validate(yaml.safe_load(_text("titles.yaml")))
    return (
        list_entries(_text("lists/free_domains.txt")),
        list_entries(_text("lists/disposable_domains.txt")) | folded(blocklist),
        list_entries(_text("lists/role_names.txt")),
        TitleTable(seniority=phrases_of(titles.seniority), department=phrases_of(titles.department)),
    )


def _text(path: str) -> str:
    return (_FOLDER / path).read_text(encoding="utf-8")
