"""How many calls of the API an org has in a day, and how many are used."""

from dataclasses import dataclass
from datetime import date, datetime

from connectors.emulator.salesforce.refusals import Refused


@dataclass(slots=True)
class Allowance:
    """The calls of a day (emulated, UTC). All numbers may be changed at any time."""

    per_day: int = 100_000
    used_today: int = 0
    day: date | None = None

    def take(self, now: datetime) -> Refused | None:
        """Counts one call; the refusal when none was left."""
        if self.day != now.date():
            if self.day is not None:
                self.used_today = 0
            self.day = now.date()
        if self.used_today >= self.per_day:
            return Refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        self.used_today += 1
        return None

    def header(self) -> dict[str, str]:
        """What every answer says of it."""
        return {"Sforce-Limit-Info": f"api-usage={self.used_today}/{self.per_day}"}
