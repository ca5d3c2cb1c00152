"""What changed between two handbooks of a model, in the words of both."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from difflib import SequenceMatcher
from typing import TypeVar

from scoring.condition_words import date_in_words
from scoring.digests import model_digest
from scoring.document import Document, Line, Section
from scoring.handbook import handbook
from scoring.model import ScoringModel

PieceT = TypeVar("PieceT", Line, Section)

_FEW = 3  # words that read well on both sides of an arrow


def changes(old: ScoringModel, new: ScoringModel, *, first_on: date, day: date) -> Document:
    """What is new, gone and different in ``new`` as of ``day``; ``first_on`` is when ``old`` ran first."""
    before, after = handbook(old, day), handbook(new, day)
    sections = tuple(_sections(before.sections, after.sections))
    digests = model_digest(old), model_digest(new)
    compared = (
        f"As of {date_in_words(day)}, version {digests[1]} of the rules, compared with version {digests[0]}, "
        f"which ran first on {date_in_words(first_on)}."
    )
    verdict = _verdict(same=digests[0] == digests[1], shown=bool(sections))
    return Document(
        title=f"What changed: {after.title[:1].lower()}{after.title[1:]}",
        text=(compared, verdict) if verdict else (compared,),
        sections=sections,
    )


def _verdict(*, same: bool, shown: bool) -> str:
    if same:
        return "Only words changed; no score moves." if shown else "Nothing changed."
    return "" if shown else "Nothing changed that this handbook says: only inner names, or the order they stand in."


def _sections(before: Sequence[Section], after: Sequence[Section]) -> Iterator[Section]:
    """A section for each that differs, with what differs in it; then the new ones and those that are gone, whole."""
    both, added, gone = _matched(before, after)
    for old, new in both:
        items, inner = tuple(_items(old, new)), tuple(_sections(old.sections, new.sections))
        if items or inner:
            yield Section(key=new.key, title=new.title, items=items, sections=inner)
    yield from (replace(section, title=f"New: {section.title}") for section in added)
    yield from (replace(section, title=f"No longer: {section.title}") for section in gone)


def _items(old: Section, new: Section) -> Iterator[Line]:
    """What differs in a section, without the sections in it."""
    if old.title != new.title:
        yield Line(key="title", says=(f"was called “{old.title}”",))
    yield from (Line(key="text", says=(said,)) for said in _said(old.text, new.text))
    both, added, gone = _matched(old.items, new.items)
    for before, after in both:
        named = (f"now called “{after.label}”",) if before.label != after.label else ()
        if said := (*named, *_said(before.says, after.says)):
            yield replace(before, says=said)
    yield from (replace(line, says=(f"new: {line.text}",)) for line in added)
    yield from (replace(line, says=(f"no longer: {line.text}",)) for line in gone)
    if new.ordered and [before for before, _ in both] != [line for line in old.items if line not in gone]:
        yield Line(key="order", label="The order is now", says=(", ".join(line.label for line in new.items),))


def _matched(
    before: Sequence[PieceT], after: Sequence[PieceT]
) -> tuple[list[tuple[PieceT, PieceT]], list[PieceT], list[PieceT]]:
    """Pairs of one key, or of one name among the rest, in the order of ``after``; what is new; what is gone."""
    rest = {piece.key: piece for piece in before}
    keys = {piece.key for piece in after}
    names = {_name(piece): piece.key for piece in before if piece.key not in keys and _name(piece)}
    both, added = [], []
    for piece in after:
        old = rest.pop(piece.key if piece.key in rest else names.pop(_name(piece), ""), None)
        if old is None:
            added.append(piece)
        else:
            both.append((old, piece))
    return both, added, list(rest.values())


def _name(piece: Line | Section) -> str:
    return piece.title if isinstance(piece, Section) else piece.label


def _said(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """What is said otherwise, no longer and anew."""
    for _, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = before[start:end], after[first:last]
        if old != new and len(old) == len(new):
            yield from (said for pair in zip(old, new, strict=True) for said in _otherwise(*pair))
        elif old != new:
            yield from (f"no longer: {said}" for said in old)
            yield from (f"new: {said}" for said in new)


def _otherwise(old: str, new: str) -> tuple[str, ...]:
    """Both with what they share said once; one after the other where more differs than a few words side by side.

    >>> _otherwise("40 points", "60 points"), _otherwise("at most once a day", "at most 3 times a day")
    (('40 -> 60 points',), ('at most once -> 3 times a day',))
    """
    before, after = old.split(), new.split()
    shortest = min(len(before), len(after)) - 1  # at least one word of each is shown
    start = next((i for i in range(shortest) if before[i] != after[i]), shortest)
    end = next((i for i in range(shortest - start) if before[-1 - i] != after[-1 - i]), shortest - start)
    middle = [words[start : len(words) - end] for words in (before, after)]
    if max(map(len, middle)) > _FEW or any(mark in word for words in middle for word in words for mark in "“”"):
        return f"no longer: {old}", f"new: {new}"
    return (" ".join([*after[:start], *middle[0], "->", *middle[1], *after[len(after) - end :]]),)
