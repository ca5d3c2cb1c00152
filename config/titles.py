"""An admin's own job titles, from ``titles.yaml``: phrases and what they mean, tried before the shipped ones."""

from collections.abc import Iterator

from pydantic import Field

from config.parts import Part
from config.problems import Problem, error, nearest, warning
from config.reading import Document, Loc
from scoring.tables import Phrases, TitleTable, needle, title_words

Steps = tuple[dict[str, tuple[str, ...]], ...]


class TitlesFile(Part):
    """Steps of meaning -> phrases, tried from top to bottom; the first phrase found in a title decides."""

    seniority: Steps = Field(default=())
    """What titles say of the fact ``seniority``."""
    department: Steps = Field(default=())
    """What titles say of the fact ``department``."""


def phrases_of(steps: Steps) -> Phrases:
    """The phrases in the order they are tried, each with its meaning; a meaning may come at several steps.

    >>> phrases_of(({"vp": ("Area Lead", "VP")}, {"director": ("lead",)}))
    (('area lead', 'vp'), ('vp', 'vp'), ('lead', 'director'))
    """
    return tuple(
        (phrase.casefold(), meaning) for step in steps for meaning, phrases in step.items() for phrase in phrases
    )


def check_titles(written: Document, shipped: TitleTable) -> Iterator[Problem]:
    """Phrases that are found in no title or never reached, and meanings that look mistyped."""
    for fact, known in (("seniority", shipped.seniority), ("department", shipped.department)):
        meanings = {meaning for _, meaning in known}
        before: list[tuple[str, str, str]] = []
        for loc, phrases in written.each(fact, "*", "*"):
            meaning = str(loc[-1])
            if meaning not in meanings and (close := nearest(meaning, meanings)):
                yield warning(written.key(loc), f'"{meaning}" is a meaning of its own{close}')
            for index, phrase in enumerate(phrases if isinstance(phrases, list) else ()):
                text = written.nodes[*loc, index].typed or phrase
                if isinstance(text, str):
                    yield from _phrase(written, (*loc, index), text, meaning, before)


def _phrase(
    written: Document, loc: Loc, phrase: str, meaning: str, before: list[tuple[str, str, str]]
) -> Iterator[Problem]:
    """The mistake of one phrase; it is added to those ``before`` it, each with its needle and meaning."""
    if not title_words(phrase):
        yield error(written.at(loc), "this phrase has no word; write words of a title, such as *leiter or head of")
        return
    own = needle(phrase)
    taker = next((other for other, found, means in before if found in own and means != meaning), None)
    if taker is not None:
        message = f'"{taker}" stands above it and takes every title with "{phrase}"; put this step above that one'
        yield error(written.at(loc), message)
    before.append((phrase, own, meaning))
