"""SOQL as text: literals, conditions, statements that fit into an address."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

#: characters the names of a SELECT may take in an address; the ids of a join take as many, Salesforce refuses 16,000
LONGEST = 6_000
#: ids that one condition names
IDS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down.

    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC))
    1000
    """
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def stamp(ms: int) -> str:
    """The instant as SOQL writes it.

    >>> stamp(1767323045678)
    '2026-01-02T03:04:05.678Z'
    """
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quoted(text: str) -> str:
    r"""The text as SOQL writes it.

    >>> print(quoted("d'Or"))
    'd\'Or'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def among(name: str, ids: Sequence[str]) -> str:
    """The condition that the field holds one of the ids; at least one.

    >>> among("Id", ["00Q1", "00Q2"])
    "Id IN ('00Q1','00Q2')"
    """
    return f"{name} IN ({','.join(quoted(id_) for id_ in ids)})"


def after(ms: int, id_: str, before_ms: int | None = None) -> str:
    """The condition that a row comes after the place, in the order of ``ORDER``, and before an instant if one is given.

    The place without an id is before every row of its instant.

    >>> after(0, "")
    'SystemModstamp >= 1970-01-01T00:00:00.000Z'
    """
    begin = stamp(ms)
    low = f"(SystemModstamp > {begin} OR (SystemModstamp = {begin} AND Id > {quoted(id_)}))"
    parts = [low if id_ else f"SystemModstamp >= {begin}"]
    if before_ms is not None:
        parts.append(f"SystemModstamp < {stamp(before_ms)}")
    return " AND ".join(parts)


#: the order of a walk
ORDER = "SystemModstamp, Id"


def select(object_: str, fields: Iterable[str], where: str = "", order: str = "") -> str:
    """The statement.

    >>> select("Lead", ["Id", "Email"], "IsDeleted = false", "Id")
    'SELECT Id,Email FROM Lead WHERE IsDeleted = false ORDER BY Id'
    """
    parts = [f"SELECT {','.join(fields)} FROM {object_}"]  # noqa: S608 - SOQL cannot write
    parts += [f"WHERE {where}"] if where else []
    parts += [f"ORDER BY {order}"] if order else []
    return " ".join(parts)


def portions(fields: Iterable[str], longest: int = LONGEST) -> list[list[str]]:
    """The fields, each once whatever its capitals, in lists that an address holds; each list is asked for with the Id.

    >>> portions(["Id", "Email", "email", "Title"], 16)
    [['Id', 'Email'], ['Title']]
    """
    unique: dict[str, str] = {}
    for name in fields:
        unique.setdefault(name.casefold(), name)
    found: list[list[str]] = [[]]
    room = longest
    for name in unique.values():
        # the comma takes three characters in an address
        room -= len(name) + 3
        if room < 0 and found[-1]:
            found.append([])
            room = longest - len(name) - 3
        found[-1].append(name)
    return found
