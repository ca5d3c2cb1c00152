"""YAML as an admin means it: a plain tree of values, and where each of them stands.

None of YAML 1.1's guesses is made: plain ``true`` and ``false`` are booleans, plain ``12`` and ``1.5`` numbers;
``null``, ``~`` and nothing are None; all else (``NO``, ``on``, ``1e3``, ``0123``, ``12:30``, ``2026-01-02``) is the
text as typed, and so is everything in quotes and every key. Anchors and aliases work within bounds; tags, merge keys,
several documents and duplicate keys are refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from config.problems import Problem, Spot, error

Loc = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_DEEPEST = 30
_MOST_NODES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """Where one value stands, and its key; a list's item is its own key."""

    key: Spot
    value: Spot
    #: a plain scalar exactly as typed; None for all else
    typed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """One file: the tree of its values, and the place of each by its way through the tree."""

    path: str
    value: Any
    nodes: Mapping[Loc, Node] = field(default_factory=dict)

    def key(self, loc: Loc) -> Spot:
        """Where the key of the innermost existing node on the way stands; the file's beginning at the root."""
        node = self.nodes.get(self.existing(loc))
        return node.key if node else Spot(path=self.path)

    def at(self, loc: Loc) -> Spot:
        """Where the value of the innermost existing node on the way stands; of a mapping, its key."""
        known = self.existing(loc)
        node = self.nodes.get(known)
        return node.value if node and not isinstance(self.get(known), dict) else self.key(known)

    def existing(self, loc: Loc) -> Loc:
        """The way as far as it leads through this tree; steps the tree does not have are left out."""
        known: Loc = ()
        for step in loc:
            if (*known, step) in self.nodes:
                known = (*known, step)
        return known

    def get(self, loc: Loc) -> Any:
        """The value there; None when there is none."""
        value = self.value
        for step in loc:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def each(self, *pattern: str) -> Iterator[tuple[Loc, Any]]:
        """Ways and values that fit the pattern, in file order; ``*`` stands for any key or list index.

        >>> list(Document(path="x", value={"a": {"b": 1}, "c": 2}).each("*", "b"))
        [(('a', 'b'), 1)]
        """
        found: list[tuple[Loc, Any]] = [((), self.value)]
        for step in pattern:
            found = [
                ((*loc, name), inner) for loc, value in found for name, inner in _children(value) if step in ("*", name)
            ]
        yield from found


def texts_in(value: Any) -> list[tuple[Loc, str]]:
    """The texts of a value that is one text or a list of them, with the step that leads to each.

    >>> texts_in("a"), texts_in(["a", 1, "b"])
    ([((), 'a')], [((0,), 'a'), ((2,), 'b')])
    """
    if isinstance(value, list):
        return [((index,), item) for index, item in enumerate(value) if isinstance(item, str)]
    return [((), value)] if isinstance(value, str) else []


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def read(path: str, text: str) -> tuple[Document | None, list[Problem]]:
    """The document, and everything wrong with it as YAML; None when no tree can be made. An empty file is None's tree.

    >>> document, problems = read("x.yaml", "a: {b: NO, c: 12}")
    >>> document.value, str(document.at(("a", "c")).column)
    ({'a': {'b': 'NO', 'c': 12}}, '15')
    """
    reader = _Reader(path=path)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.check(event)
        node = yaml.compose(text, Loader=yaml.SafeLoader) if not reader.problems else None
        value = reader.construct(node, (), Spot(path=path)) if node else None
    except yaml.MarkedYAMLError as failure:
        return None, [*reader.problems, reader.syntax(failure)]
    except yaml.reader.ReaderError as failure:
        before = text[: failure.position]
        spot = Spot(path=path, line=before.count("\n") + 1, column=failure.position - before.rfind("\n"))
        return None, [error(spot, "a character that YAML does not allow; delete it and type it anew")]
    except _TooMuchError as failure:
        return None, [error(failure.spot, str(failure))]
    if reader.problems and node is None:
        return None, reader.problems
    return Document(path=path, value=value, nodes=reader.nodes), reader.problems


class _TooMuchError(Exception):
    """The file is deeper or larger, its aliases followed, than a config can sensibly be."""

    def __init__(self, spot: Spot, message: str) -> None:
        super().__init__(message)
        self.spot = spot


@dataclass(kw_only=True)
class _Reader:
    path: str
    problems: list[Problem] = field(default_factory=list)
    nodes: dict[Loc, Node] = field(default_factory=dict)
    documents: int = 0
    depth: int = 0

    def spot(self, mark: Any) -> Spot:
        return Spot(path=self.path, line=mark.line + 1, column=mark.column + 1) if mark else Spot(path=self.path)

    def syntax(self, failure: yaml.MarkedYAMLError) -> Problem:
        """What PyYAML could not read, in an admin's words; what is never closed is shown where it opens."""
        said = f"{failure.context or ''} {failure.problem or ''}"
        for words, opens, advice in _SYNTAX:
            if words in said:
                mark = failure.context_mark if opens else failure.problem_mark
                return error(self.spot(mark), f"not readable as YAML: {advice}")
        unclear = "not readable as YAML: check quotes, brackets and indentation here and in the line above"
        return error(self.spot(failure.problem_mark), unclear)

    def check(self, event: yaml.Event) -> None:
        """Notes what this reader does not take, before any tree is made of it."""
        spot = self.spot(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents == 2:
                self.problems.append(error(spot, 'a second document begins here ("---"); one file holds one document'))
        elif isinstance(event, yaml.CollectionStartEvent):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _TooMuchError(spot, f"nested deeper than {_DEEPEST} levels; is a bracket too many?")
        elif isinstance(event, yaml.CollectionEndEvent):
            self.depth -= 1
        if getattr(event, "tag", None) is not None:
            self.problems.append(
                error(spot, 'tags (a word after "!") are not used here; put text that begins with "!" in quotes')
            )

    def construct(self, node: yaml.Node, loc: Loc, key: Spot) -> Any:
        """The node's value; notes its place."""
        spot = self.spot(node.start_mark)
        if len(loc) > _DEEPEST or len(self.nodes) > _MOST_NODES:
            raise _TooMuchError(spot, "an alias (*name) repeats itself or too much; write it out instead")
        typed = node.value if isinstance(node, yaml.ScalarNode) and node.style is None else None
        self.nodes[loc] = Node(key=key, value=spot, typed=typed)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.construct(item, (*loc, i), self.spot(item.start_mark)) for i, item in enumerate(node.value)]
        return node.value if typed is None else plain(typed)

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            spot = self.spot(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(error(spot, "a key must be a text, not a list or a mapping"))
            elif key.value == "<<" and key.style is None:
                self.problems.append(error(spot, 'merge keys ("<<") are not used here; write the keys out'))
            elif key.value in found:
                first = self.nodes[*loc, key.value].key
                message = f'key "{key.value}" stands twice; the first is at {first.line}:{first.column}, keep one'
                self.problems.append(error(spot, message))
            else:
                found[key.value] = self.construct(value, (*loc, key.value), spot)
        return found


def plain(text: str) -> Any:
    """What an unquoted scalar means.

    >>> [plain(text) for text in ("true", "12", "1.50", "~", "NO", "0123", "1e3", "12:30")]
    [True, 12, 1.5, None, 'NO', '0123', '1e3', '12:30']
    """
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


#: what PyYAML says, whether its cause is where the unfinished began, and what an admin can do; the first counts
_SYNTAX = (
    (r"'\t'", False, "a tab; indent with spaces"),
    ("found character", False, 'text that begins with @, ` or % must stand in "quotes"'),
    (
        "mapping values are not allowed",
        False,
        'a ":" where none can be; check the indentation, or put text that holds ": " in quotes',
    ),
    ("could not find expected ':'", True, 'a ":" is missing after this key, or the indentation is off'),
    ("undefined alias", False, 'an alias (*name) without its anchor (&name); put text that begins with "*" in quotes'),
    ("duplicate anchor", False, "an anchor (&name) stands twice; name them apart"),
    ("expected alphabetic", False, 'text that begins with "*" or "&" must stand in quotes'),
    ("unexpected end of stream", True, "the quote that opens here is never closed"),
    ("expected ',' or '}'", True, 'the "{" that opens here is not closed, or a comma is missing in it'),
    ("expected ',' or ']'", True, 'the "[" that opens here is not closed, or a comma is missing in it'),
    ("expected <block end>", False, "this line's indentation fits no line above it"),
    ("unknown escape", False, 'a "\\" in double quotes means an escape; use single quotes'),
    ("expected the node content", False, "a value is missing here, or a bracket or comma is too many"),
)
