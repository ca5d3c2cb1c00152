"""``test`` and ``golden add``: golden cases run, and made of a person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from itertools import count as count_from
from pathlib import Path
from typing import Any

from rich.console import Console

from config.files import NAME
from config.golden import GoldenCase
from config.problems import listed, nearest
from config.settings import Settings
from config.starters import SCHEMAS
from sync.answers.explain import scoring_of
from sync.answers.golden import Miss, Tested, run_cases
from sync.answers.golden_add import Made, made_of
from sync.answers.golden_text import flow
from sync.answers.living import Seen
from sync.app import clock
from sync.cli.exits import FAILED, OK, USAGE, CommandError
from sync.cli.opening import Where, count, folder_of, print_json, settings_of, stderr, stdout, store_of, typed
from sync.cli.persons import one_person
from sync.cli.show import line, pairs, table, value_text, width_of
from sync.cli.show_person import ledger
from sync.store.values import plain

NOT_SCORED = "not scored by this model"
INDENT = 2  # columns before a line, and between its cells


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
        show_tested(stdout(), tested)
    if not tested:
        advice = f"write golden/NAME.yaml by docs/golden.md, or make one of a person: {typed('golden add WHO', where)}"
        stderr().print(f"no golden case {'of this model ' if model else ''}in {folder_of(where[0])}; {advice}")
    return FAILED if failed else OK


def add(where: Where, who: str, *, name: str | None, model: str | None, as_json: bool) -> int:
    """Writes the case of the one person; FAILED, and nothing is written, when it would not pass."""
    settings = settings_of(where)
    known_model(settings, model)
    folder = folder_of(where[0]) / "golden"
    if name is not None and not NAME.fullmatch(name):
        rule = "a file's name begins with a small letter and holds small letters, digits, _ and -"
        raise CommandError(f"leadmark golden add: {rule}", USAGE)
    with store_of(settings) as store:
        number = one_person(store, who, where)
        with store.begin() as tx:
            made = made_of(tx, number, scoring_of(tx, settings, clock()(), model), settings)
    if made is None:
        raise CommandError("this person is not to be profiled: nothing is known of them to make a case of")
    path = _path(folder, name, made.file)
    if not made.misses:
        schema = folder.parent / SCHEMAS / "golden.schema.json"
        head = f"# yaml-language-server: $schema=../{SCHEMAS}/golden.schema.json\n" if schema.is_file() else ""
        folder.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(head + made.text)
    if as_json:
        print_json(
            {
                "file": str(path),
                "case": f"{path.stem}/{made.case}",
                "written": not made.misses,
                "misses": _misses_json(made.misses),
                "unlike": made.unlike,
            }
        )
    else:
        _show_made(stdout(), path, made)
    return FAILED if made.misses else OK


def _path(folder: Path, name: str | None, otherwise: str) -> Path:
    """A file that is not there yet; CommandError when the one named is."""
    if name is not None and (folder / f"{name}.yaml").exists():
        raise CommandError(f"{folder / name}.yaml already exists; nothing was written. Choose another --name")
    names = chain([name or otherwise], (f"{otherwise}-{nth}" for nth in count_from(2)))
    return next(path for each in names if not (path := folder / f"{each}.yaml").exists())


def _show_made(out: Console, path: Path, made: Made) -> None:
    out.print(made.text, end="")
    out.print()
    for name in made.unlike:
        out.print(
            f"Fact {name} is not carried over: the model asks more of it than can be told without naming somebody"
        )
    if not made.misses:
        out.print(f"{path} is written; it passes")
        return
    table(out, ("the person", "this case"), [(flow(miss.wanted)[1:-1], is_(miss)) for miss in made.misses])
    out.print("This case is not like the person, so nothing is written; what it lacks is above")


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


def show_tested(out: Console, tested: Sequence[Tested]) -> None:
    """The cases with what they come to, then each that fails, and how many they are."""
    rows = [("failed" if one.misses else "ok", one.name, _said(one)) for one in tested]
    if rows:
        _overview(out, rows)
    for one in tested:
        if one.misses:
            out.print()
            _failed(out, one)
    if tested:
        failed = sum(bool(one.misses) for one in tested)
        out.print()
        out.print(f"{count(len(tested), 'case')}, {f'{failed} failed' if failed else 'all as expected'}")


def _overview(out: Console, rows: Sequence[tuple[str, str, str]]) -> None:
    """A line a case; where one would not fit, what each comes to stands below its name."""
    states, names, outcomes = (max(map(len, cells)) for cells in zip(*rows, strict=True))
    if states + names + outcomes + INDENT * 3 <= width_of(out):
        table(out, ("", "case", "on its day"), rows, indent=INDENT)
        return
    for state, name, outcome in rows:
        line(out, f"{'':{INDENT}}{state:<{states}}{'':{INDENT}}{name}")
        pairs(out, [("", outcome)], indent=INDENT + states, whole=True)


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
            ledger(out, seen.ledger, seen.on)


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
        "misses": _misses_json(one.misses),
    }


def _misses_json(misses: Sequence[Miss]) -> list[dict[str, Any]]:
    return [{"days": miss.days, "wanted": miss.wanted, "found": plain(miss.found)} for miss in misses]


def _seen_json(days: int, seen: Seen) -> Mapping[str, Any]:
    return {
        "days": days,
        "on": seen.on.isoformat(),
        "scored": seen.ledger is not None,
        "outputs": plain(seen.outputs),
        "ledger": seen.ledger and seen.ledger.to_json(),
    }
