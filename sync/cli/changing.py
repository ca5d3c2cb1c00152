"""``simulate`` and ``approve``: what other rules would change, and the yes to them."""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.approvals import Approved, latest, waiting, with_entry
from config.files import APPROVALS
from config.loader import load
from config.problems import nearest
from config.settings import Settings
from connectors.hubspot.client import BATCH_ROWS
from connectors.salesforce.client import UPDATE_ROWS
from scoring.digests import model_digest
from sync.answers.against import FieldError, compare
from sync.answers.simulate import Impact, Side, side_in_force, side_of
from sync.answers.simulate import simulate as impact_of
from sync.app import clock
from sync.approving import NotApprovedError
from sync.cli import exits, show_impact
from sync.cli.exits import CommandError
from sync.cli.opening import Where, count, folder_of, print_json, settings_of, stdout, store_of, typed
from sync.cli.progress import shown
from sync.cli.show import line, pairs
from sync.days import score_day
from sync.store.store import Store, StoreError

PUSH_SIZES: Mapping[str, int] = {"hubspot": BATCH_ROWS, "salesforce": UPDATE_ROWS}
#: the shortest beginning of a digest that names one
SHORTEST = 6


def simulate(
    where: Where, other: Path | None, *, against: str | None, model: str | None, limit: int, as_json: bool
) -> int:
    """Shows what the config in a folder would change, else the models of this one; or our score beside another."""
    settings = settings_of(where)
    after = side_of(settings if other is None else _settings(other, where[1]))
    with store_of(settings) as store:
        if against is not None:
            return _against(store, after, against, model, limit=limit, as_json=as_json)
        with store.look() as tx:
            before = side_in_force(tx, settings)
        pending = waiting(settings.models, settings.approved)
        names = _models(before, after, pending if other is None else {}, model)
        found = _impact(store, before, after, names, limit)
    if as_json:
        print_json(found.to_json())
    else:
        show_impact.impact(stdout(), found, limit=limit)
    return exits.OK


def _settings(folder: Path, overlay: Path | None) -> Settings:
    settings, problems = load(folder, overlay)
    if settings is None:
        errors = [f"{folder}/{problem}" for problem in problems if problem.severity == "error"]
        raise CommandError("\n".join([*errors, f"{folder}: {count(len(errors), 'error')}; nothing was compared"]))
    return settings


def _models(before: Side, after: Side, pending: Mapping[str, str], asked: str | None) -> list[str]:
    """The model asked for, else those that wait, else all there are on either side."""
    known = list(dict.fromkeys([*after.models, *before.models]))
    if asked is not None and asked not in known:
        raise CommandError(f'there is no model "{asked}"{nearest(asked, known)}; there are: {", ".join(known)}', 64)
    if asked is not None:
        return [asked]
    return [name for name in known if name in pending] or known


def _impact(store: Store, before: Side, after: Side, models: Sequence[str], limit: int) -> Impact:
    with shown() as progress:
        return impact_of(
            store,
            before,
            after,
            models=models,
            limit=limit,
            push_sizes=PUSH_SIZES,
            now=clock()(),
            progress=progress,
        )


def _against(store: Store, side: Side, field: str, model: str | None, *, limit: int, as_json: bool) -> int:
    (name,) = _models(side, side, {}, model or side.settings.primary)
    try:
        with shown() as progress:
            found = compare(store, side, field, side.models[name], limit=limit, now=clock()(), progress=progress)
    except FieldError as error:
        raise CommandError(f"--against: {error}") from error
    if as_json:
        print_json(found.to_json())
    else:
        show_impact.compared(stdout(), found)
    return exits.OK


def waits(where: Where, *, as_json: bool) -> int:
    """Shows which models wait for approval, and what they would change."""
    settings = settings_of(where)
    pending = waiting(settings.models, settings.approved)
    found, unknown = _pending_impact(settings, pending)
    digests = {name: model_digest(model) for name, model in settings.models.items()}
    if as_json:
        kept = settings.approved is not None
        impact = found and found.to_json()
        about = {"approvals_kept": kept, "models": digests, "pending": pending}
        print_json(about | {"impact": impact, "impact_unknown": unknown})
        return exits.OK
    out = stdout()
    if settings.approved is None:
        out.print(f"Approvals are not kept here, as there is no {APPROVALS}.")
        out.print("Every valid model scores as it stands:")
        pairs(out, digests.items())
        one = next(iter(digests.values()))[: show_impact.DIGITS] if len(digests) == 1 else "DIGEST"
        out.print("To keep approvals from now on:")
        out.print(f"  {typed(f'approve {one} --begin --sales NAME --marketing NAME', where)}")
        return exits.OK
    if not pending:
        out.print("nothing waits for approval")
    for name, digest in pending.items():
        line(out, (name, "bold"), f": the rules in models/{name}.yaml, {digest}, wait for approval")
    if unknown is not None:
        out.print(f"Their impact is not known: {unknown}")
    if found is not None:
        out.print()
        show_impact.short(out, found)
    if pending:
        first = next(iter(pending.values()))[: show_impact.DIGITS]
        out.print()
        out.print("To see all of it:")
        out.print(f"  {typed('simulate', where)}")
        out.print("To approve:")
        out.print(f"  {typed(f'approve {first} --sales NAME --marketing NAME --why TEXT', where)}")
    return exits.OK


def _pending_impact(settings: Settings, pending: Mapping[str, str]) -> tuple[Impact | None, str | None]:
    """What the models that wait would change, else why that is not known.

    Approvals are typed where the config is, perhaps on a desk: without a store, or with one that never had the rules.
    """
    if not pending:
        return None, None
    try:
        with store_of(settings) as store:
            with store.look() as tx:
                before = side_in_force(tx, settings)
            return _impact(store, before, side_of(settings), list(pending), limit=0), None
    except (StoreError, NotApprovedError) as error:
        return None, str(error)


def approve(where: Where, digest: str, *, sales: str, marketing: str, why: str, begin: bool, as_json: bool) -> int:
    """Adds the yes to approvals.yaml, of a folder in git."""
    settings, folder = settings_of(where), folder_of(where[0])
    if not sales.strip() and not marketing.strip():
        raise CommandError("leadmark approve: say who approves: --sales NAME, --marketing NAME or both", exits.USAGE)
    name, whole = _meant(settings, digest)
    if latest(settings.approved).get(name) == whole:
        raise CommandError(f"the rules {whole} of {name} are approved already; nothing was changed")
    if not in_git(folder):
        raise CommandError(
            f"{folder} is in no git work tree, and an approval is reviewed in git like every other change of the "
            "config; approve in a checkout, and bring it here from there"
        )
    path = folder / APPROVALS
    if settings.approved is None and not begin:
        raise CommandError(
            f"there is no {path}, so every valid model scores without approval; --begin writes the file, and from "
            "then on only approved rules score"
        )
    on = score_day(clock()(), settings.time_zone)
    approved = Approved(model=name, digest=whole, sales=sales, marketing=marketing, on=on, why=why)
    written = path.read_bytes() if settings.approved is not None else b""
    mark = BOM_UTF8 if written.startswith(BOM_UTF8) else b""
    changed = with_entry(written.removeprefix(mark).decode(), approved)
    if changed is None:
        raise CommandError(
            f"{path} is written in a way that an entry cannot be added to; write its list as one entry a line, each "
            "behind a dash"
        )
    beside = path.with_name(f".{APPROVALS}.new")
    beside.write_bytes(mark + changed.encode())
    beside.replace(path)
    if as_json:
        print_json({"model": name, "digest": whole, "file": str(path)})
    else:
        _say(settings, name, whole, path)
    return exits.OK


def _say(settings: Settings, name: str, digest: str, path: Path) -> None:
    out = stdout()
    out.print(f"{path}: the rules {digest} of {name} are approved; commit the file, and they score from the next pass")
    others = waiting(settings.models, settings.approved or ())
    for each, other in others.items():
        if each != name:
            out.print(f"{each} still waits: {other}")


def _meant(settings: Settings, beginning: str) -> tuple[str, str]:
    """The model of this folder whose digest begins so, and the digest."""
    digests = {name: model_digest(model) for name, model in settings.models.items()}
    wanted = beginning.lower()
    found = [(name, digest) for name, digest in digests.items() if digest.startswith(wanted)]
    if len(wanted) < SHORTEST or len(found) != 1:
        known = "".join(f"\n  {name}  {digest}" for name, digest in digests.items())
        raise CommandError(
            f'"{beginning}" names the rules of no model in this folder; write at least {SHORTEST} digits of:{known}',
            exits.USAGE,
        )
    return found[0]


def in_git(folder: Path) -> bool:
    """Whether a folder is in a git work tree."""
    whole = folder.resolve()
    return any((place / ".git").exists() for place in (whole, *whole.parents))
