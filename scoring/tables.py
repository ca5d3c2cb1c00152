"""The tables a model leans on: an admin's lists, mail domains, role names and title phrases, all as values.

Who builds them reads the files; entries are folded (trimmed, case-folded) by ``folded``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from scoring.digests import digest_of
from scoring.fact_values import fold

Phrases = tuple[tuple[str, str], ...]

_REMEMBERED_TITLES = 20_000
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_GENDERED = re.compile(r"(?<=[^\W\d_]{2})(?:[:*/_·]-?(?:innen|in|r)\b|\((?:innen|in|r)\))")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")


@dataclass(frozen=True, kw_only=True)
class TitleTable:
    """Phrases of job titles and what they mean; the first that is found in a title decides.

    A phrase is whole words; ``*`` at its start or end lets the word go on there, so ``*leiter`` finds
    ``Vertriebsleiter`` and ``geschäftsführ*`` finds ``Geschäftsführerin``. Case, punctuation, dots between initials, ä
    or ae, and German gender forms make no difference (``title_words``).
    """

    seniority: Phrases = ()
    department: Phrases = ()

    def seniority_of(self, title: str) -> str | None:
        """The seniority that a job title says, None when no phrase is found.

        >>> TitleTable(seniority=(("vice president", "vp"), ("president", "c_level"))).seniority_of("Vice-President")
        'vp'
        """
        return self._seniority(title)

    def department_of(self, title: str) -> str | None:
        """The department that a job title says, None when no phrase is found."""
        return self._department(title)

    @cached_property
    def _seniority(self) -> Callable[[str], str | None]:
        return _finder(self.seniority)

    @cached_property
    def _department(self) -> Callable[[str], str | None]:
        return _finder(self.department)


def title_words(text: str) -> str:
    """The words of a title between single blanks: folded, umlauts as two letters, ``C.E.O.`` as one word.

    The gender forms ``Leiter:in``, ``Leiter*in``, ``Leiter/-in``, ``Leiter_in``, ``Leiter(in)`` and ``Beauftragte:r``
    become ``leiter`` and ``beauftragte``.

    >>> title_words("Geschäftsführer:in"), title_words("V.P., Sales")
    ('geschaeftsfuehrer', 'vp sales')
    """
    plain = unicodedata.normalize("NFC", fold(text)).translate(_UMLAUTS)
    plain = _GENDERED.sub("", plain)
    plain = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", plain)
    return " ".join(re.findall(r"[^\W_]+", plain))


def needle(phrase: str) -> str:
    """What is looked for in the words of a title with a blank around them; words end with a blank, but not at ``*``.

    >>> needle("Head of"), needle("*leiter")
    (' head of ', 'leiter ')
    """
    return f"{'' if phrase.startswith('*') else ' '}{title_words(phrase)}{'' if phrase.endswith('*') else ' '}"


def _finder(phrases: Phrases) -> Callable[[str], str | None]:
    """What the first of the phrases found in a title means; titles recur, so the latest are remembered."""
    needles = [(needle(phrase), meaning) for phrase, meaning in phrases]

    @lru_cache(maxsize=_REMEMBERED_TITLES)
    def find(title: str) -> str | None:
        words = f" {title_words(title)} "
        return next((meaning for needle, meaning in needles if needle in words), None)

    return find


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
