"""Negative conditions on facts that are often empty: an unknown fact passes them, which is seldom meant."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from config.condition_checks import tests_passed_unknown
from config.problems import Problem, warning
from config.reading import Document
from config.settings import Settings
from scoring.conditions import evaluator
from scoring.fact_values import FactValue
from sync.answers.fullness import shares_of

#: a share of unknown above this is worth a word
OFTEN = 0.5
#: the fact that is unknown of those who lack nothing
_MISSING = "missing"


def often_empty(
    settings: Settings, documents: Mapping[str, Document], people: Sequence[Mapping[str, FactValue]], day: int
) -> list[Problem]:
    """A warning at each test that holds for more than half of the people because it does not know their fact.

    What stands in a model is asked of those in its audience on the day number; nobody there, and nothing is said.
    """
    found = []
    for path, document in documents.items():
        model = settings.models.get(PurePath(path).stem) if path.startswith("models/") else None
        inside = evaluator(model.audience, settings.tables) if model and model.audience else None
        among = [facts for facts in people if inside(facts, day)] if inside else people
        everybody, meant = shares_of(people), shares_of(among)
        for loc, test in tests_passed_unknown(document):
            asked, shares = (people, everybody) if loc[0] == "audience" else (among, meant)
            unknown = 1 - shares.get(test.name, 0)
            if asked and unknown > OFTEN and test.name != _MISSING:
                who = "people in the audience" if asked is not people else "people"
                found.append(warning(document.key(loc), _in_words(test.name, test.op, unknown, who)))
    return found


def _in_words(fact: str, op: str, unknown: float, who: str) -> str:
    word = "not_in" if op == "not_in" else "not"
    return (
        f"{fact} is unknown for {100 * unknown:.0f} % of {who}, so `{word}` holds for them; if it should not, write "
        f"`{fact}: {{present: true}}` beside it, else say so by `any` with `{fact}: {{missing: true}}`"
    )
