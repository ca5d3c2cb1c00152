"""SOQL as values: the subset the emulator answers, parsed; all else is refused with a text like Salesforce's.

Names are as written; whether an object has such a field is for whoever runs the query. Positions count characters from
0; the texts of refusals count rows and columns from 1. There is no OFFSET, no grouping, no subquery, no alias.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from connectors.emulator.clock import parse_ms
from connectors.emulator.salesforce.literals import bad_escape
from connectors.emulator.salesforce.refusals import Refused

LONGEST = 100_000
LONGEST_STRING = 4_000
Kind = Literal["string", "number", "boolean", "null", "date", "datetime", "days"]
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)(?![\w.:-])
  | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.:-])
  | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::\d+)?)
  | (?P<mark><=|>=|!=|<>|[=<>(),])
  | (?P<end>$)
  | (?P<other>\S+)
    )""",
    re.VERBOSE | re.DOTALL,
)
#: date literal -> its first and last day, counted from today; n days for those that end in _N_DAYS
_DAYS: dict[str, Callable[[int], tuple[int, int]]] = {
    "TODAY": lambda _: (0, 0),
    "YESTERDAY": lambda _: (-1, -1),
    "TOMORROW": lambda _: (1, 1),
    "LAST_N_DAYS": lambda n: (-n, 0),
    "NEXT_N_DAYS": lambda n: (1, n),
}
_OPERATORS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or one of a related record: ``("Account", "Name")``."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Operand:
    """What a field is compared with."""

    kind: Kind
    #: string: as written between the quotes; date: ISO; datetime: ms; days: first and last day, counted from today
    value: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition on one field; ``operator`` is = != < <= > >= LIKE IN or NOT IN, the last two with a tuple."""

    path: Path
    operator: str
    operand: Operand | tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Combined:
    """Two or more conditions, joined by AND or by OR."""

    word: str
    conditions: tuple["Condition", ...]


Condition = Comparison | Not | Combined


@dataclass(frozen=True, slots=True)
class Order:
    """One field to sort by. Empty ones come first unless told otherwise."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query."""

    text: str
    #: empty: COUNT()
    fields: tuple[Path, ...]
    object: str
    #: where the object's name stands
    object_at: int
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """The query a text says; raises Refused (MALFORMED_QUERY) for what is not in the subset.

    >>> query = parse("SELECT Id, Account.Name FROM Contact WHERE Email != null ORDER BY Id LIMIT 5")
    >>> [str(field) for field in query.fields], query.object, query.limit
    (['Id', 'Account.Name'], 'Contact', 5)
    """
    if len(text) > LONGEST:
        raise Refused("MALFORMED_QUERY", f"SOQL statements cannot be longer than {LONGEST} characters.")
    return _Parser(text).query()


def pointed(text: str, at: int, message: str) -> str:
    """A refusal's text as Salesforce writes it: the line, a caret under the place, row and column, the reason.

    >>> print(pointed("SELECT Bad FROM Lead", 7, "No such column"))
    <BLANKLINE>
    SELECT Bad FROM Lead
           ^
    ERROR at Row:1:Column:8
    No such column
    """
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    column = at - start
    first = max(0, column - 60)
    shown = line[first : column + 60]
    row = text.count("\n", 0, at) + 1
    return f"\n{shown}\n{' ' * (column - first)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"


class _Parser:
    """One pass over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_Token(m.lastgroup or "", m[m.lastgroup or 0], m.start(m.lastgroup or 0)) for m in _all(text)]
        self.place = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def query(self) -> Query:
        self.expect("SELECT")
        fields = self.fields()
        self.expect("FROM")
        object_ = self.take("name")
        where = self.alternatives() if self.word("WHERE") else None
        order: list[Order] = []
        if self.word("ORDER"):
            self.expect("BY")
            order.append(self.order())
            while self.mark(","):
                order.append(self.order())
        limit = int(self.number()) if self.word("LIMIT") else None
        if self.next.kind != "end":
            raise self.unexpected()
        return Query(
            text=self.text,
            fields=tuple(fields),
            object=object_.text,
            object_at=object_.at,
            where=where,
            order=tuple(order),
            limit=limit,
        )

    def fields(self) -> list[Path]:
        """The selected fields; none for COUNT()."""
        if self.next.text.upper() == "COUNT" and self.tokens[self.place + 1].text == "(":
            self.place += 2
            self.expect(")")
            return []
        fields = [self.path()]
        while self.mark(","):
            fields.append(self.path())
        return fields

    def alternatives(self) -> Condition:
        """Conditions joined by one word; AND beside OR needs parentheses, as in Salesforce."""
        found = [self.condition()]
        word = self.next.text.upper()
        while word in ("AND", "OR") and self.word(word):
            found.append(self.condition())
        if self.next.text.upper() in ("AND", "OR"):
            raise self.unexpected()
        return Combined(word, tuple(found)) if len(found) > 1 else found[0]

    def condition(self) -> Condition:
        if self.word("NOT"):
            return Not(self.condition())
        if self.mark("("):
            inner = self.alternatives()
            self.expect(")")
            return inner
        path = self.path()
        if self.next.text in _OPERATORS:
            operator = _OPERATORS[self.take("mark").text]
            return Comparison(path, operator, self.operand())
        if self.word("LIKE"):
            if self.next.kind != "string":
                raise self.unexpected()
            return Comparison(path, "LIKE", self.operand())
        operator = "NOT IN" if self.word("NOT") else "IN"
        self.expect("IN")
        self.expect("(")
        operands = [self.operand()]
        while self.mark(","):
            operands.append(self.operand())
        self.expect(")")
        return Comparison(path, operator, tuple(operands))

    def operand(self) -> Operand:
        token = self.next
        self.place += 1
        match token.kind:
            case "string":
                return self.string(token)
            case "number":
                return Operand("number", float(token.text))
            case "date" | "datetime":
                return self.day_or_instant(token)
            case "name":
                word, _, count = token.text.upper().partition(":")
                if word in ("TRUE", "FALSE") and not count:
                    return Operand("boolean", word == "TRUE")
                if word == "NULL" and not count:
                    return Operand("null", None)
                if word in _DAYS and word.endswith("_N_DAYS") == bool(count):
                    return Operand("days", _DAYS[word](int(count or 0)))
        self.place -= 1
        raise self.unexpected()

    def string(self, token: _Token) -> Operand:
        raw = token.text[1:-1]
        if len(raw) > LONGEST_STRING:
            said = f"a filter string cannot be longer than {LONGEST_STRING} characters"
            raise Refused("MALFORMED_QUERY", pointed(self.text, token.at, said))
        if bad := bad_escape(raw):
            said = f"Illegal string literal: invalid escape sequence {bad}"
            raise Refused("MALFORMED_QUERY", pointed(self.text, token.at, said))
        return Operand("string", raw)

    def day_or_instant(self, token: _Token) -> Operand:
        try:
            if token.kind == "date":
                return Operand("date", date.fromisoformat(token.text).isoformat())
            return Operand("datetime", parse_ms(token.text.upper()))
        except ValueError as error:
            said = f"Invalid {token.kind}: {token.text}"
            raise Refused("MALFORMED_QUERY", pointed(self.text, token.at, said)) from error

    def order(self) -> Order:
        path = self.path()
        descending = self.word("DESC")
        if not descending:
            self.word("ASC")
        nulls_last = False
        if self.word("NULLS"):
            nulls_last = self.word("LAST")
            if not nulls_last:
                self.expect("FIRST")
        return Order(path, descending, nulls_last)

    def path(self) -> Path:
        token = self.take("name")
        if ":" in token.text:
            self.place -= 1
            raise self.unexpected()
        return Path(tuple(token.text.split(".")), token.at)

    def number(self) -> str:
        token = self.take("number")
        if not token.text.isdigit():
            self.place -= 1
            raise self.unexpected()
        return token.text

    def word(self, word: str) -> bool:
        """Takes a keyword when it comes next."""
        found = self.next.kind == "name" and self.next.text.upper() == word
        self.place += found
        return found

    def mark(self, mark: str) -> bool:
        """Takes a punctuation mark when it comes next."""
        found = self.next.kind == "mark" and self.next.text == mark
        self.place += found
        return found

    def expect(self, text: str) -> None:
        if not (self.mark(text) or self.word(text)):
            raise self.unexpected()

    def take(self, kind: str) -> _Token:
        if self.next.kind != kind:
            raise self.unexpected()
        self.place += 1
        return self.tokens[self.place - 1]

    def unexpected(self) -> Refused:
        token = self.next
        said = "unexpected token: '<EOF>'" if token.kind == "end" else f"unexpected token: '{token.text}'"
        return Refused("MALFORMED_QUERY", pointed(self.text, token.at, said))


def _all(text: str) -> list[re.Match[str]]:
    return [match for match in _TOKEN.finditer(text) if match.lastgroup]
