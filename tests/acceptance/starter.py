"""The b2b-saas starter for tests of pulling and writing: whoever is in a CRM is scored and written.

Customers are disqualified instead of left out, so that as many records are written as there are.
"""

from collections.abc import Sequence
from pathlib import Path

from config import starters

#: the keys of the model that leave somebody out, as their lines begin
_LEFT_OUT = ("audience:", "on_leave:")
_GATES = "disqualify:\n"
_CUSTOMER = "  customer: {if: {relationship: customer}, label: Already a customer}\n"


def write(folder: Path, crms: Sequence[str]) -> None:
    """Writes the starter for the CRMs, with a gate in place of its model's audience."""
    starters.write("b2b-saas", folder, crms)
    score_everybody(folder)


def score_everybody(folder: Path) -> None:
    """Puts a gate in place of the audience of the starter's model."""
    file = folder / "models" / "b2b.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(_LEFT_OUT))
    assert kept.count(_GATES) == 1
    file.write_text(kept.replace(_GATES, _GATES + _CUSTOMER), encoding="utf-8")
