"""Approvals of models, from ``approvals.yaml``: who of sales and marketing said yes to which rules, when and why.

The file only grows: its last entry of a model is the one approved last. Without the file every valid model is approved.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, WithJsonSchema, model_validator

from config.parts import Part
from config.problems import Problem, error, unknown, warning
from config.reading import Document, read
from config.validating import validate
from scoring.digests import model_digest
from scoring.mistakes import wrong
from scoring.model import ScoringModel
from scoring.values import Day

_DIGEST = "^[0-9a-f]{16}$"
_HEAD = """\
# yaml-language-server: $schema=.schemas/approvals.schema.json
# A model scores only by rules whose digest stands here. `leadmark approve` adds them; they are reviewed in git.
approved:
"""
#: the list as it stands while nothing is approved
_NONE = re.compile(r"^approved:\s*\[\s*\]", re.MULTILINE)


def _digest(text: str) -> str:
    if not re.fullmatch(_DIGEST, text):
        raise wrong("a digest is 16 digits of 0-9 and a-f; `leadmark approve` shows that of every model")
    return text


class Approved(Part):
    """One yes."""

    model: str
    """The model's name."""
    digest: Annotated[str, AfterValidator(_digest), WithJsonSchema({"type": "string", "pattern": _DIGEST})]
    """The digest of its rules."""
    sales: str = ""
    """Who said yes for sales."""
    marketing: str = ""
    """Who said yes for marketing."""
    on: Day
    """When."""
    why: str = ""
    """What changes and for what reason."""

    @model_validator(mode="after")
    def _by_somebody(self) -> Self:
        if not self.sales.strip() and not self.marketing.strip():
            raise wrong("nobody approves this; say who: sales, marketing or both")
        return self


class ApprovalsFile(Part):
    """The file."""

    approved: tuple[Approved, ...]
    """Every approval, the oldest first."""


def waiting(models: Mapping[str, ScoringModel], approved: Sequence[Approved] | None) -> dict[str, str]:
    """Model -> its digest, of those whose rules nobody approved; empty where approvals are not kept (None)."""
    if approved is None:
        return {}
    known = {(one.model, one.digest) for one in approved}
    digests = {name: model_digest(model) for name, model in models.items()}
    return {name: digest for name, digest in digests.items() if (name, digest) not in known}


def latest(approved: Sequence[Approved] | None) -> dict[str, str]:
    """Model -> the digest approved last."""
    return {one.model: one.digest for one in approved or ()}


def check_approvals(document: Document, models: Mapping[str, ScoringModel | None]) -> Iterator[Problem]:
    """What is odd in the file beside the models there are: name -> model, None for one that cannot be read."""
    last: dict[str, str] = {}
    known: set[tuple[str, str]] = set()
    for loc, entry in document.each("approved", "*"):
        written = entry if isinstance(entry, dict) else {}
        name, digest = str(written.get("model")), str(written.get("digest"))
        if last.get(name) == digest:
            message = f"{digest} is what was approved last of {name}; remove this entry"
            yield error(document.at((*loc, "digest")), message)
        if "model" in written and name not in models:
            spot, advice = document.at((*loc, "model")), "an entry of a model that is gone does no harm"
            yield warning(spot, unknown(spot, "there is no model", name, models, advice).message)
        last[name] = digest
        known.add((name, digest))
    for name, model in models.items():
        if model is None or last.get(name) == (digest := model_digest(model)):
            continue
        rules = f"the rules in models/{name}.yaml"
        if name not in last:
            message = f'nobody approved the model "{name}" yet, so it scores nobody'
        elif (name, digest) not in known:
            message = f"{rules} wait for approval; those approved last go on scoring"
        else:
            message = f"{rules} were approved before others; once the file changes those score, {last[name]}"
        yield warning(document.key(("approved",)), f"{message}; leadmark approve {digest[:8]}")


def with_entry(text: str, approved: Approved) -> str | None:
    """The file's text with the yes as its last entry; that of a new file where the text is empty.

    None where an entry at the end would not be one of the list.
    """
    known = _read(text)
    before = text or _HEAD
    if not known:
        before = _NONE.sub("approved:", before)
    end = "\r\n" if "\r\n" in before else "\n"
    before += "" if before.endswith("\n") else end
    after = before + _entry(approved, _indent(text, len(known))).replace("\n", end)
    return after if _read(after) == [*known, approved] else None


def _indent(text: str, entries: int) -> str:
    """What stands before the dash of the last entry."""
    document, _ = read("", text)
    if document is None or not entries:
        return "  "
    spot = document.key(("approved", entries - 1))
    before = text.splitlines()[spot.line - 1][: spot.column - 1]
    return before[: len(before) - len(before.lstrip())]


def _entry(approved: Approved, indent: str) -> str:
    written = [(key, str(value)) for key, value in approved if value]
    lines = [f"{key}: {value if key == 'on' else json.dumps(value, ensure_ascii=False)}" for key, value in written]
    return "".join(f"{indent}{'  ' if place else '- '}{line}\n" for place, line in enumerate(lines))


def _read(text: str) -> list[Approved]:
    document, problems = read("", text)
    file = None if document is None or problems else validate(document, ApprovalsFile)[0]
    return list(file.approved) if file is not None else []
