"""Which models score: those of the config folder, and of one whose rules nobody approved yet the last approved ones.

The texts of old rules are the store's. They are read as if they stood in the folder: with its lists, facts and
activities.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from config.approvals import latest, waiting
from config.model_checks import DERIVED, HAND_OFF, Delivered, check_model
from config.problems import Problem, listed
from config.reading import read
from config.settings import Settings
from config.validating import validate
from scoring.digests import model_digest
from scoring.model import ScoringModel
from sync.report import ModelReport
from sync.store import tables
from sync.store.store import upsert


class NotApprovedError(Exception):
    """No approved rules can score: what, why, what to do. Nothing is scored or written until somebody acts."""


@dataclass(frozen=True, kw_only=True)
class InForce:
    """A model that scores."""

    model: ScoringModel
    digest: str
    #: digest of the folder's rules while they wait for approval; None = those are the ones that score
    pending: str | None = None


def in_force(tx: Connection, settings: Settings) -> dict[str, InForce]:
    """What ``approved_models`` gives; raises NotApprovedError when nothing is approved at all, too."""
    found = approved_models(tx, settings)
    if not found:
        raise NotApprovedError(
            f"approvals.yaml approves none of the models of this folder ({listed(sorted(settings.models))}), so "
            "nobody is scored; see what waits, and approve it: leadmark approve"
        )
    return found


def approved_models(tx: Connection, settings: Settings) -> dict[str, InForce]:
    """Model -> what scores by that name, the primary one first; a model nobody ever approved is left out.

    Raises NotApprovedError when approved rules cannot be had any more.
    """
    wait, last = waiting(settings.models, settings.approved), latest(settings.approved)
    found: dict[str, InForce] = {}
    for name in sorted(settings.models, key=lambda name: (name != settings.primary, name)):
        if name not in wait:
            model = settings.models[name]
            found[name] = InForce(model=model, digest=model_digest(model))
        elif name in last:
            found[name] = InForce(model=_kept(tx, settings, name, last[name]), digest=last[name], pending=wait[name])
    return found


def model_in_force(tx: Connection, settings: Settings, name: str | None = None) -> ScoringModel:
    """The model that scores by that name, else as the primary one. Raises NotApprovedError when none does."""
    found = in_force(tx, settings).get(name or settings.primary)
    if found is None:
        raise NotApprovedError(
            f'nobody approved the model "{name or settings.primary}" yet, so it scores nobody; see: leadmark approve'
        )
    return found.model


def reported(settings: Settings) -> dict[str, ModelReport]:
    """Model -> the digests that score and wait, the primary one first, as approvals stand."""
    wait, last = waiting(settings.models, settings.approved), latest(settings.approved)
    return {
        name: ModelReport(
            digest=last.get(name) if name in wait else model_digest(settings.models[name]), pending=wait.get(name)
        )
        for name in sorted(settings.models, key=lambda name: (name != settings.primary, name))
    }


def keep_texts(tx: Connection, settings: Settings, models: Mapping[str, InForce], now: int) -> None:
    """Keeps the texts of models that score as they stand in the folder, each the first time."""
    table = tables.model_text
    for name, one in models.items():
        known = tx.execute(select(func.count()).where(table.c.digest == one.digest)).scalar_one()
        if not known:
            row = {"digest": one.digest, "model": name, "text": settings.model_texts[name], "first_at": now}
            upsert(tx, table, [row])


def _kept(tx: Connection, settings: Settings, name: str, digest: str) -> ScoringModel:
    """The rules of an approved digest, from the store."""
    table = tables.model_text
    text = tx.execute(select(table.c.text).where(table.c.digest == digest)).scalar()
    what = f"models/{name}.yaml waits for approval, and the rules approved last ({digest})"
    do = "approve the file as it is (leadmark approve), or put the approved one back from git"
    if text is None:
        raise NotApprovedError(f"{what} never scored on this store, so they are not kept here; {do}")
    document, problems = read(f"models/{name}.yaml", text)
    model = None
    if document is not None and not problems:
        model, problems = validate(document, ScoringModel)
        lists = settings.tables.lists
        problems += check_model(document, name, _delivered(settings), lists) if model is not None else []
    wrong = [problem for problem in problems if problem.severity == "error"]
    if model is None or wrong:
        raise NotApprovedError(f"{what} do not fit this config any more: {_said(wrong)}; {do}")
    return model


def _said(problems: list[Problem]) -> str:
    """What is wrong, without places: the file is not in the folder."""
    return problems[0].message + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _delivered(settings: Settings) -> Delivered:
    """What the connections deliver together."""
    mapped = {name for connection in settings.connections for name in connection.facts}
    derived = {fact for fact, bases in DERIVED.items() if not bases or mapped.intersection(bases)}
    kinds: dict[str, frozenset[str]] = {}
    for connection in settings.connections:
        for kind, source in connection.activities.items():
            kinds[kind] = kinds.get(kind, frozenset()) | frozenset(source.keep)
    return Delivered(facts=frozenset(mapped | derived) - {HAND_OFF}, kinds=kinds)
