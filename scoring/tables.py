"""The tables a model leans on: an admin's lists, mail domains, role names and title phrases, all as values.

Who builds them reads the files; entries are folded (trimmed, case-folded) by ``folded``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scoring.digests import digest_of
from scoring.fact_values import fold

Phrases = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class TitleTable:
    """Phrases of job titles and what they mean; the first that is found in a title decides.

    A phrase is whole words, folded and without punctuation; ``*`` at its start or end lets the word go on there, so
    ``*leiter`` finds ``Vertriebsleiter`` and ``geschäftsführer*`` finds ``Geschäftsführerin``.
    """

    seniority: Phrases = ()
    department: Phrases = ()


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All tables of an installation. Lists and domains hold folded entries."""

    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    free_domains: frozenset[str] = frozenset()
    disposable_domains: frozenset[str] = frozenset()
    role_names: frozenset[str] = frozenset()  # the part of an address before the @
    titles: TitleTable = TitleTable()

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over every entry, whatever the order of sets and lists."""
        return digest_of(
            [
                sorted((name, sorted(entries)) for name, entries in self.lists.items()),
                sorted(self.free_domains),
                sorted(self.disposable_domains),
                sorted(self.role_names),
                self.titles.seniority,
                self.titles.department,
            ]
        )


def folded(entries: Iterable[str]) -> frozenset[str]:
    """The entries as lists and domain tables keep them; blank ones are left out.

    >>> folded([" Acme.example ", ""])
    frozenset({'acme.example'})
    """
    return frozenset(fold(entry) for entry in entries if entry.strip())
