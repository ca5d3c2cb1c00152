"""A document for people as a value: sections of paragraphs and lists, with a key for all that can change.

Keys say what a piece is about, so that two documents can be compared; they are never shown.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item of a list."""

    key: str
    says: tuple[str, ...]  # its clauses
    label: str = ""  # what an item is about, in the admin's words

    @property
    def text(self) -> str:
        """What follows the label.

        >>> Line(key="demo", label="Asked for a demo", says=("40 points", "at most once a month")).text
        '40 points; at most once a month'
        """
        return "; ".join(self.says)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with what stands below it: paragraphs, then a list, then sections of its own."""

    key: str
    title: str
    text: tuple[str, ...] = ()
    items: tuple[Line, ...] = ()
    ordered: bool = False  # the order of the items means something
    sections: tuple["Section", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole document; ``text`` is what stands before the first section."""

    title: str
    text: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
