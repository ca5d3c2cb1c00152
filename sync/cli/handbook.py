"""``handbook``: a model in plain language, or what changed in it since it had another digest."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import select

from config.problems import nearest
from config.reading import read
from config.settings import Settings
from config.validating import validate
from scoring.document import Document
from scoring.handbook import handbook as in_words
from scoring.handbook_changes import changes
from scoring.model import ScoringModel
from sync.app import clock
from sync.approving import reported
from sync.cli import exits
from sync.cli.document import html, markdown
from sync.cli.exits import CommandError
from sync.cli.opening import Where, settings_of, stdout, store_of
from sync.days import score_day
from sync.store import tables
from sync.store.values import at


def handbook(where: Where, *, model: str | None, as_html: bool, out: Path | None, since: str | None) -> int:
    """Shows the handbook of a model, else of the primary one, or writes it to a file; with ``since`` what changed."""
    settings = settings_of(where)
    chosen = _model(settings, model or settings.primary)
    day = score_day(clock()(), settings.time_zone)
    document = in_words(chosen, day) if since is None else _changes(settings, chosen, since, day)
    document = _waiting(settings, chosen.model, document)
    text = html(document) if as_html else markdown(document)
    if out is None:
        stdout().print(text, end="")
        return exits.OK
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from error
    return exits.OK


def _model(settings: Settings, name: str) -> ScoringModel:
    if name not in settings.models:
        hint = nearest(name, settings.models) or f"; there are: {', '.join(sorted(settings.models))}"
        raise CommandError(f'there is no model "{name}"{hint}', exits.USAGE)
    return settings.models[name]


def _waiting(settings: Settings, name: str, document: Document) -> Document:
    """The document, below its version that these rules wait for approval where they do, and which rules score."""
    stands = reported(settings)[name]
    if stands.pending is None:
        return document
    scores = f"version {stands.digest} scores" if stands.digest else "this model scores nobody"
    version, *others = document.text
    return replace(document, text=(version, f"These rules wait for approval; until then {scores}.", *others))


def _changes(settings: Settings, model: ScoringModel, since: str, day: date) -> Document:
    """What changed since the model of a digest, or of the one that begins so."""
    table = tables.model_text
    with store_of(settings) as store, store.begin() as tx:
        rows = tx.execute(select(table).where(table.c.model == model.model).order_by(table.c.first_at)).all()
    ran = {row.digest: score_day(at(row.first_at), settings.time_zone) for row in rows}
    found = [row for row in rows if since and row.digest.startswith(since.lower())]
    if len(found) != 1:
        known = "".join(f"\n  {digest}  first on {on}" for digest, on in ran.items()) or " none yet"
        which = "several digests begin" if found else "no digest begins"
        raise CommandError(f"of this model {which} with that; those that ran:{known}")
    return changes(_read(found[0].text, found[0].digest), model, first_on=ran[found[0].digest], day=day)


def _read(text: str, digest: str) -> ScoringModel:
    """The model of a text that ran before; this version may no longer accept it."""
    document, problems = read("model", text)
    if document is not None and not problems:
        model, problems = validate(document, ScoringModel)
        if model is not None:
            return model
    raise CommandError(f"the model of digest {digest} cannot be read by this version: {problems[0].message}")
