"""Properties HubSpot works out from others: whether a deal is closed and won, and when it closed."""

from collections.abc import Mapping

from connectors.emulator.clock import iso


def worked_out(held: Mapping[str, str], values: Mapping[str, str], now_ms: int) -> dict[str, str]:
    """What follows from values written over those held, but for what they say themselves.

    A deal is in the first pipeline unless told; its stage says whether it is closed and won; what closes now has now as
    its close date.

    >>> worked_out({}, {"dealstage": "closedwon", "closedate": "2026-11-03T09:00:00.000Z"}, 0)["hs_is_closed_won"]
    'true'
    """
    stage = values.get("dealstage", held.get("dealstage", "")).casefold().replace(" ", "")
    closed = stage.startswith("closed")
    found = {
        "pipeline": held.get("pipeline") or "default",
        "hs_is_closed": str(closed).lower(),
        "hs_is_closed_won": str(stage == "closedwon").lower(),
    }
    if closed and held.get("hs_is_closed") != "true":
        found["closedate"] = iso(now_ms)
    return {name: value for name, value in found.items() if name not in values}
