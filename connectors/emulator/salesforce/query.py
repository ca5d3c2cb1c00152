"""Queries answered: a SOQL text in, pages of records out, in the wire format of query and queryAll.

What a query found is fixed when it is asked: its later pages show the rows as they were then, their parents as they
are now. Conditions and columns are compiled to functions of a row once per query.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.emulator.clock import DAY_MS
from connectors.emulator.salesforce.columns import ADVICE, Column, Hop, column
from connectors.emulator.salesforce.conditions import Compiler, comparable
from connectors.emulator.salesforce.fields import ObjectType
from connectors.emulator.salesforce.ids import new_id
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.soql import Order, Query, parse, pointed

MOST_ROWS = 2_000
FEWEST_ROWS = 200
_KEPT_DAYS = 2
#: of open cursors the oldest beyond this many are closed; Salesforce has no such cap, this machine's memory has
_MOST_CURSORS = 50
_PREFIX = "0r8"
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A query's rows beyond its first page."""

    rows: Sequence[Row]
    show: Callable[[Row], Json]
    page_rows: int
    asked_ms: int


def first_page(
    org: Org, soql: str, *, all_rows: bool = False, batch_size: int = MOST_ROWS, version: str = "66.0"
) -> Json:
    """The first page of what a query finds; ``all_rows``: deleted and archived rows too.

    Pages have ``batch_size`` rows, taken as from 200 to 2,000, and no more than ``org.page_rows`` where it is set.
    Raises Refused for a query that is not in the subset, an object or a field that is not there.
    """
    query = parse(soql)
    object_ = _object(org, query)
    columns = [column(org, soql, object_, path) for path in query.fields]
    _once(query, columns)
    rows = _found(org, query, object_, all_rows=all_rows)
    if not query.fields:
        return {"totalSize": len(rows), "done": True, "records": []}
    page_rows = min(max(batch_size, FEWEST_ROWS), org.page_rows or MOST_ROWS, MOST_ROWS)
    show = _shower(object_.name, columns, f"/services/data/v{version}/sobjects", all_rows=all_rows)
    cursor = Cursor(rows=rows, show=show, page_rows=page_rows, asked_ms=org.clock.now_ms())
    return _page(cursor, 0, _open(org, cursor) if len(rows) > page_rows else "", version)


def next_page(org: Org, locator: str, *, version: str = "66.0") -> Json:
    """The page a locator (``0r8...-2000``) stands for; asking again gives the same. INVALID_QUERY_LOCATOR else."""
    name, _, start = locator.partition("-")
    cursor = org.cursors.get(name)
    known = cursor is not None and start.isdigit() and 0 < int(start) < len(cursor.rows)
    if cursor is None or not known or org.clock.now_ms() - cursor.asked_ms > _KEPT_DAYS * DAY_MS:
        raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(cursor, int(start), name, version)


def _object(org: Org, query: Query) -> ObjectType:
    for name, object_ in org.objects.items():
        if name.casefold() == query.object.casefold():
            return object_
    said = (
        f"sObject type '{query.object}' is not supported. If you are attempting to use a custom object, be sure to "
        f"append the '__c' after the entity name. {ADVICE}"
    )
    raise Refused("INVALID_TYPE", pointed(query.text, query.object_at, said))


def _once(query: Query, columns: Sequence[Column]) -> None:
    seen = set()
    for path, found in zip(query.fields, columns, strict=True):
        name = ".".join((*(hop.name for hop in found.hops), found.field.name))
        if name in seen:
            raise Refused("INVALID_FIELD", pointed(query.text, path.at, f"duplicate field selected: {name}"))
        seen.add(name)


def _found(org: Org, query: Query, object_: ObjectType, *, all_rows: bool) -> list[Row]:
    """The rows that fit, in the query's order; as they were created where it says none."""
    compiler = Compiler(org, query.text, object_)
    test = compiler.test(query.where) if query.where else None
    orders = [(order, compiler.column(order.path, "sorted")) for order in query.order]
    now_ms = org.clock.now_ms()
    seen = (row if row.hidden_until_ms is None else row.seen(now_ms) for row in org.rows[object_.name].values())
    rows = [row for row in seen if row is not None]
    if not all_rows:
        rows = [row for row in rows if not row.deleted and not row.archived]
    if test is not None:
        rows = [row for row in rows if test(row)]
    for order, found in reversed(orders):
        rows = _sorted(rows, order, found)
    return rows if query.limit is None else rows[: query.limit]


def _sorted(rows: list[Row], order: Order, found: Column) -> list[Row]:
    get = comparable(found)
    keys = [get(row) for row in rows]
    full = [(key, place) for place, key in enumerate(keys) if key is not None]
    # a sort keeps equal rows in the order they had, descending ones too
    full.sort(key=lambda pair: pair[0], reverse=order.descending)
    ordered = [rows[place] for _, place in full]
    empty = [row for row, key in zip(rows, keys, strict=True) if key is None] if len(full) < len(rows) else []
    return ordered + empty if order.nulls_last else empty + ordered


def _shower(object_: str, columns: Sequence[Column], base: str, *, all_rows: bool) -> Callable[[Row], Json]:
    """Makes records of rows; parents in the recycle bin are shown by queryAll only."""
    cells: list[tuple[str, Callable[[Row], Any]]] = []
    parents: dict[str, tuple[Hop, list[Column]]] = {}
    for found in columns:
        if found.hops:
            hop, *rest = found.hops
            if hop.name not in parents:
                parents[hop.name] = (hop, [])
                cells.append((hop.name, lambda _: None))
            parents[hop.name][1].append(replace(found, hops=tuple(rest)))
        elif found.field.type == "datetime":
            cells.append((found.field.name, _instant(found)))
        else:
            cells.append((found.field.name, found.own))
    nested = {
        name: _parent(hop, _shower(hop.shown_as, inner, base, all_rows=all_rows), all_rows=all_rows)
        for name, (hop, inner) in parents.items()
    }
    cells = [(name, nested.get(name, cell)) for name, cell in cells]

    def show(row: Row) -> Json:
        record: Json = {"attributes": {"type": object_, "url": f"{base}/{object_}/{row.id}"}}
        for name, cell in cells:
            record[name] = cell(row)
        return record

    return show


def _instant(found: Column) -> Callable[[Row], str | None]:
    own = found.own
    return lambda row: None if (ms := own(row)) is None else shown(ms)


def _parent(hop: Hop, show: Callable[[Row], Json], *, all_rows: bool) -> Callable[[Row], Json | None]:
    def cell(row: Row) -> Json | None:
        parent = hop.follow(row)
        return None if parent is None or (parent.deleted and not all_rows) else show(parent)

    return cell


def _as_now(row: Row) -> Row:
    """A copy no later change reaches; a row's values are never changed, only replaced."""
    return Row(row.id, row.values, row.created_ms, row.stamp_ms, row.deleted, row.archived)


def _open(org: Org, cursor: Cursor) -> str:
    """What the locators of a cursor begin with."""
    while len(org.cursors) >= _MOST_CURSORS:
        del org.cursors[next(iter(org.cursors))]
    org.cursors_opened += 1
    name = new_id(_PREFIX, org.cursors_opened)
    org.cursors[name] = replace(cursor, rows=[_as_now(row) for row in cursor.rows])
    return name


def _page(cursor: Cursor, start: int, name: str, version: str) -> Json:
    end = start + cursor.page_rows
    done = end >= len(cursor.rows)
    page: Json = {"totalSize": len(cursor.rows), "done": done}
    if not done:
        page["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{end}"
    page["records"] = [cursor.show(row) for row in cursor.rows[start:end]]
    return page
