"""``test``: golden cases run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from config.golden import GoldenCase
from config.problems import listed, nearest
from config.settings import Settings
from sync.cli.exits import FAILED, OK, CommandError
from sync.cli.opening import Where, count, folder_of, print_json, settings_of, stderr, stdout
from sync.cli.show import line, table, value_text
from sync.cli.show_person import ledger
from sync.golden import Miss, Tested, run_cases
from sync.golden_text import flow
from sync.living import Seen
from sync.store.values import plain

NOT_SCORED = "not scored by this model"


def run(where: Where, wanted: Sequence[str], *, model: str | None, as_json: bool) -> int:
    """Runs the cases that are wanted, all when none is named; FAILED when one fails."""
    settings = settings_of(where)
    known_model(settings, model)
    cases = _chosen(settings, wanted)
    if model is not None:
        cases = {name: case for name, case in cases.items() if (case.model or settings.primary) == model}
    tested = run_cases(settings, cases)
    failed = sum(bool(one.misses) for one in tested)
    if as_json:
        print_json({"failed": failed, "cases": [_to_json(one) for one in tested]})
    else:
        _show(stdout(), tested)
    if not tested:
        advice = "write golden/NAME.yaml by docs/golden.md"
        stderr().print(f"no golden case {'of this model ' if model else ''}in {folder_of(where[0])}; {advice}")
    return FAILED if failed else OK


def known_model(settings: Settings, model: str | None) -> None:
    """Raises CommandError for a model that the config does not have."""
    if model is not None and model not in settings.models:
        close = nearest(model, settings.models) or f"; models are {listed(sorted(settings.models))}"
        raise CommandError(f'there is no model "{model}"{close}')


def _chosen(settings: Settings, wanted: Sequence[str]) -> dict[str, GoldenCase]:
    """The cases that are named, in the order of the files."""
    for each in wanted:
        if not any(each in _names(name) for name in settings.golden):
            known = {word for name in settings.golden for word in _names(name)}
            raise CommandError(f'there is no golden case "{each}"{nearest(each, known)}')
    return {
        name: case
        for name, case in settings.golden.items()
        if not wanted or any(each in _names(name) for each in wanted)
    }


def _names(name: str) -> Collection[str]:
    """What a case is called by: file/case, its case, its file with or without its ending."""
    file, _, case = name.partition("/")
    return {name, case, file, f"{file}.yaml", f"golden/{file}.yaml"}


def _show(out: Console, tested: Sequence[Tested]) -> None:
    rows = [("failed" if one.misses else "ok", one.name, _said(one)) for one in tested]
    if rows:
        table(out, ("", "case", "on its day"), rows, flexible=(2,))
    for one in tested:
        if one.misses:
            out.print()
            _failed(out, one)
    if tested:
        failed = sum(bool(one.misses) for one in tested)
        out.print()
        out.print(f"{count(len(tested), 'case')}, {f'{failed} failed' if failed else 'all as expected'}")


def _said(one: Tested) -> str:
    return str(one.seen[0].outputs.get("summary") or NOT_SCORED)


def _failed(out: Console, one: Tested) -> None:
    """What was expected, what is, and why it is that."""
    line(out, (one.name, "bold"), f"  by model {one.model}")
    for days, misses in _by_day(one.misses):
        seen = one.seen[days]
        out.print()
        line(out, f"On {seen.on}", f", {days} days later" if days else "")
        table(out, ("expected", "is"), [(flow(miss.wanted)[1:-1], is_(miss)) for miss in misses], flexible=(0, 1))
        if seen.ledger is None:
            out.print(f"  {NOT_SCORED}: outside its audience, or not to be profiled")
        else:
            ledger(out, seen.ledger)


def is_(miss: Miss) -> str:
    """What the outputs are that an expectation reads."""
    found = [
        value_text(value) if len(miss.found) == 1 else f"{name} {value_text(value)}"
        for name, value in miss.found.items()
    ]
    return ", ".join(found)


def _by_day(misses: Iterable[Miss]) -> list[tuple[int, list[Miss]]]:
    days: dict[int, list[Miss]] = {}
    for miss in misses:
        days.setdefault(miss.days, []).append(miss)
    return list(days.items())


def _to_json(one: Tested) -> dict[str, Any]:
    """JSON values with stable keys."""
    return {
        "case": one.name,
        "model": one.model,
        "passed": not one.misses,
        "days": [_seen_json(days, seen) for days, seen in one.seen.items()],
        "misses": [{"days": miss.days, "wanted": miss.wanted, "found": plain(miss.found)} for miss in one.misses],
    }


def _seen_json(days: int, seen: Seen) -> Mapping[str, Any]:
    return {
        "days": days,
        "on": seen.on.isoformat(),
        "scored": seen.ledger is not None,
        "outputs": plain(seen.outputs),
        "ledger": seen.ledger and seen.ledger.to_json(),
    }
