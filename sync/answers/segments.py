"""Which segment of ``leadmark.yaml`` somebody is in: the people reports tell apart."""

from collections.abc import Callable, Mapping

from config.condition_checks import OTHERS
from config.settings import Settings
from scoring.conditions import evaluator
from scoring.fact_values import FactValue


def segment_of(settings: Settings) -> Callable[[Mapping[str, FactValue], int], str]:
    """The name of the first segment whose condition holds for facts (with derived ones) on a day number, or OTHERS."""
    segments = [(name, evaluator(condition, settings.tables)) for name, condition in settings.segments.items()]

    def find(facts: Mapping[str, FactValue], day: int) -> str:
        return next((name for name, holds in segments if holds(facts, day)), OTHERS)

    return find
