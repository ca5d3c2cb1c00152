from collections.abc import Callable, Iterator

import pytest

from tests.connector_conformance import BEHAVIOURS, Stage
from tests.connector_stages import MemoryStage, hubspot_stage, salesforce_stage


@pytest.fixture(params=["memory", "hubspot 2026-09", "hubspot legacy", "salesforce"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    crm, _, version = request.param.partition(" ")
    if crm == "memory":
        yield MemoryStage()
        return
    with hubspot_stage(version) if crm == "hubspot" else salesforce_stage() as opened:
        yield opened


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_conformance(stage: Stage, behaviour: Callable[[Stage], None]) -> None:
    behaviour(stage)
