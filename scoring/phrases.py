"""Pieces of sentences: lists, numbers of points, labels inside a line."""

from collections.abc import Sequence


def listed(parts: Sequence[str], last: str = "and") -> str:
    """The parts as a sentence lists them.

    >>> listed(["a", "b", "c"]), listed(["a", "b"], "or"), listed(["a"]), listed([])
    ('a, b and c', 'a or b', 'a', '')
    """
    return f" {last} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def points_of(count: int, name: str) -> str:
    """A number of points in words.

    >>> points_of(1, "fit"), points_of(7, "engagement")
    ('1 point of fit', '7 points of engagement')
    """
    return f"{count} point{'' if count == 1 else 's'} of {name}"


def grade_or_better(letter: str) -> str:
    """A minimum grade in words; nothing is better than A.

    >>> grade_or_better("B"), grade_or_better("A")
    ('grade B or better', 'grade A')
    """
    return f"grade {letter}{'' if letter == 'A' else ' or better'}"


def lower_start(text: str) -> str:
    """The text to go on a line with: its first word in lower case unless it is a name or an abbreviation.

    >>> lower_start("Asked for a demo"), lower_start("LinkedIn ad")
    ('asked for a demo', 'LinkedIn ad')
    """
    rest = text.partition(" ")[0][1:]
    return text[:1].lower() + text[1:] if rest == rest.lower() else text
