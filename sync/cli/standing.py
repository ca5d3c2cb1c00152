"""``status`` and ``quarantine``: how it stands, and what was refused."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from sync.answers.status import Standing, age, standing
from sync.app import clock
from sync.approving import reported
from sync.cli import exits
from sync.cli.opening import Where, count, print_json, settings_of, stdout, store_of, typed
from sync.cli.show import line, pairs, table
from sync.cli.show_pass import waits
from sync.quarantine import Group, groups
from sync.quarantine import drop as drop_entries
from sync.quarantine import retry as retry_entries

#: passes shown
SHOWN = 5
STATES = {
    "ok": "done",
    "stopped_by_guard": "guard stop",
    "needs_adoption": "asks",
    "needs_approval": "not approved",
    "deferred_quota": "quota spent",
    "elsewhere": "elsewhere",
}


def status(where: Where, *, as_json: bool) -> int:
    """Says how it stands; PARTLY when something needs a person."""
    settings = settings_of(where)
    with store_of(settings) as store, store.begin() as tx:
        connections = [connection.name for connection in settings.connections]
        found = standing(tx, connections, clock()(), reported(settings))
    if as_json:
        print_json(found.to_json())
    else:
        show_status(stdout(), found, where)
    return exits.PARTLY if found.worries() else exits.OK


def show_status(out: Console, found: Standing, where: Where) -> None:
    """The answer, and below it what it rests on."""
    worries = found.worries()
    if worries:
        line(out, (f"not fine: {count(len(worries), 'thing')} to look at", "bold yellow"))
        for worry in worries:
            out.print(f"  {worry}")
    else:
        ended = max(one.ended_at for one in found.passes if one.ended_at is not None)
        line(out, (f"fine: the last pass ended {_ago(found, ended)}", "bold green"))
    out.print()
    rows = [
        (
            one.id,
            one.connection,
            age(found.now - one.started_at),
            STATES.get(one.report["state"], one.report["state"]) if one.ended_at else "no end yet",
            *(str(one.report[name]) for name in ("scored", "written", "rejected", "calls")),
        )
        for one in found.passes[:SHOWN]
    ]
    if rows:
        head = ("pass", "connection", "ago", "state", "scored", "written", "rejected", "calls")
        table(out, head, rows, right=(2, 4, 5, 6, 7), flexible=(1,), indent=0)
        out.print()
    _waiting(out, found, where)
    streams = [
        (pull.connection, name, _ago(found, moved)) for pull in found.pulls for name, moved in pull.streams.items()
    ]
    if streams:
        out.print()
        table(out, ("connection", "stream", "read up to"), streams, indent=0)


def _waiting(out: Console, found: Standing, where: Where) -> None:
    rows = [("people", f"{found.people} known, {found.stale} to be scored")]
    for pull in found.pulls:
        due, held = found.differing[pull.connection]
        since = (
            f"first pull complete {_ago(found, pull.complete_since)}" if pull.complete_since else "in its first pull"
        )
        rows.append((pull.connection, f"{count(len(pull.streams), 'stream')}, {since}"))
        rows.append(("", f"{count(due, 'record')} to be written, {held} held back as too small a change"))
    rows.append(("quarantine", count(found.refused, "value")))
    rows += [(f"model {name}", waits(one, where)) for name, one in found.models.items() if one.pending is not None]
    if found.ambiguous:
        rows.append(
            ("duplicates", f"{found.ambiguous} e-mail addresses of more than one person, whom nothing else joins")
        )
    if found.pause is not None:
        rows.append(("writes", f"{found.pause}; to go on: {typed('resume', where)}"))
    pairs(out, rows, indent=0)
    for group in found.quarantine:
        if not group.dropped:
            out.print(f"  {group.connection} {group.code} {group.field or '(the record)'}: {group.count}")
    for one in found.approvals:
        if one.approved_at is None:
            out.print(f"stopped {_ago(found, one.made_at)}; to let that plan through, as long as it is the same:")
            out.print(f"  {typed(f'sync --approve {one.code}', where)}")
        else:
            out.print(f"approved {_ago(found, one.approved_at)}, to be written by the next pass: {one.code}")


def _ago(found: Standing, moment: datetime) -> str:
    return f"{age(found.now - moment)} ago"


def list_quarantine(where: Where, *, as_json: bool) -> int:
    """Shows every group with the CRM's words and sample ids."""
    with store_of(settings_of(where)) as store, store.begin() as tx:
        found = groups(tx)
    if as_json:
        print_json({"groups": [group.to_json() for group in found]})
    else:
        _show_groups(stdout(), found, where)
    return exits.OK


def _show_groups(out: Console, found: Sequence[Group], where: Where) -> None:
    if not found:
        out.print("nothing is in quarantine")
        return
    for group in found:
        line(
            out,
            (group.code, "bold"),
            f"  {group.connection}  {group.field or '(the record)'}  {count(group.count, 'record')}",
        )
        out.print(f"  the CRM said: {group.message}")
        out.print(f"  for example: {', '.join(group.samples)}")
    out.print()
    out.print(f"After mending the cause: {typed('quarantine retry', where)}")


def retry(where: Where, *, code: str | None, field: str | None, as_json: bool) -> int:
    """Arms entries again."""
    with store_of(settings_of(where)) as store, store.begin() as tx:
        number = retry_entries(tx, code=code, field=field)
    return _changed(number, "armed again; the next pass sends them", as_json=as_json)


def drop(where: Where, *, code: str | None, field: str | None, as_json: bool) -> int:
    """Takes entries off the list."""
    with store_of(settings_of(where)) as store, store.begin() as tx:
        number = drop_entries(tx, code=code, field=field)
    return _changed(number, "dropped; they stay unsent until value, mapping or definition changes", as_json=as_json)


def _changed(number: int, what: str, *, as_json: bool) -> int:
    if as_json:
        print_json({"changed": number})
    else:
        stdout().print(f"{count(number, 'value')} {what}")
    return exits.OK
