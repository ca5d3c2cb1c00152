"""What a habit leaves in an org: campaign members, tasks, events; and what opportunities a person is part of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.emulator.characters import DEALS, Habit
from connectors.emulator.clock import DAY_MS
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org, Row

_MINUTE_MS = 60_000
#: name -> type
CAMPAIGNS = {
    "Demo request": "Web Form",
    "Contact us": "Web Form",
    "White paper": "Content",
    "Pricing guide": "Content",
    **{f"Webinar {number}": "Webinar" for number in range(1, 7)},
    "Product news": "Email",
    "Customer story": "Email",
    "Pricing update": "Email",
    "Industry fair": "Trade Show",
}
_OF_FORM = {
    "demo-request": ["Demo request"],
    "contact-us": ["Contact us"],
    "whitepaper": ["White paper"],
    "pricing-guide": ["Pricing guide"],
    "webinar": [name for name, type_ in CAMPAIGNS.items() if type_ == "Webinar"],
}
_MAILS = [name for name, type_ in CAMPAIGNS.items() if type_ == "Email"]
_ATTENDED = ("Attended", "Attended", "Attended", "Registered", "No Show")
#: what became of an opportunity -> its stage
_STAGES = {"won": "Closed Won", "open": "Proposal/Price Quote", "lost": "Closed Lost"}


@dataclass(slots=True)
class Diary:
    """Writes down what people do. A person is a member of a campaign once."""

    org: Org
    #: name -> id
    campaigns: dict[str, str]
    members: set[tuple[str, str]] = field(default_factory=set)

    def act(self, rng: Random, person: Row, habit: Habit, at_ms: int) -> None:
        """Does a habit once, in the second of an instant; list joins leave nothing."""
        at_ms = at_ms // 1000 * 1000
        match habit.kind:
            case "form":
                campaign = rng.choice(_OF_FORM.get(habit.what, ["Contact us"]))
                status = rng.choice(_ATTENDED) if CAMPAIGNS[campaign] == "Webinar" else "Responded"
                self.join(person, campaign, status, at_ms)
            case "mail":
                answered = rng.random() < habit.opened * habit.clicked
                # a scanner's clicks are nobody's answer
                clicked = answered and person.values.get("Emulator_Character__c") != "bot_clicked"
                self.join(person, rng.choice(_MAILS), "Responded" if clicked else "Sent", at_ms)
            case "email":
                self.task(person, at_ms, {"Subject": "Email: Next steps", "TaskSubtype": "Email", "Type": "Email"})
            case "call":
                self.task(
                    person,
                    at_ms,
                    {
                        "Subject": "Call",
                        "TaskSubtype": "Call",
                        "Type": "Call",
                        "CallType": "Inbound" if rng.random() < 0.25 else "Outbound",
                        "CallDurationInSeconds": rng.randrange(10, 1800),
                        "CallDisposition": "Connected" if rng.random() < 0.7 else "No answer",
                    },
                )
            case "meeting":
                self.event(person, at_ms, "Meeting")

    def join(self, person: Row, campaign: str, status: str, at_ms: int) -> None:
        """Makes a person a member of a campaign with a status; the first membership stays."""
        if at_ms > self.org.clock.now_ms() or (person.id, campaign) in self.members:
            return
        self.members.add((person.id, campaign))
        who = "LeadId" if person.id.startswith("00Q") else "ContactId"
        values = {"CampaignId": self.campaigns[campaign], who: person.id, "Status": status}
        self._at("CampaignMember", values, at_ms)

    def task(self, person: Row, at_ms: int, values: dict[str, Any]) -> Row:
        """A closed task."""
        done = {"Status": "Completed", "ActivityDate": shown(at_ms)[:10], "CompletedDateTime": shown(at_ms)}
        return self._at("Task", {**self._hung(person), **done, **values}, at_ms)

    def open_task(self, person: Row, rng: Random) -> Row:
        """A task still to be done, entered within the last month."""
        now_ms = self.org.clock.now_ms()
        due = shown(now_ms + rng.randrange(14) * DAY_MS)[:10]
        values = {**self._hung(person), "Subject": "Follow up", "Status": "Not Started", "ActivityDate": due}
        return self._at("Task", values, max(person.created_ms, now_ms - rng.randrange(30 * DAY_MS)))

    def event(self, person: Row, at_ms: int, subject: str) -> Row:
        """A meeting of half an hour, entered a day before."""
        times = {"StartDateTime": shown(at_ms), "EndDateTime": shown(at_ms + 30 * _MINUTE_MS), "DurationInMinutes": 30}
        entered_ms = min(at_ms, self.org.clock.now_ms()) - DAY_MS
        return self._at("Event", {**self._hung(person), "Subject": subject, "Type": "Meeting", **times}, entered_ms)

    def deal(self, rng: Random, contact: Row) -> None:
        """The opportunity a contact is part of, if any."""
        character = contact.values.get("Emulator_Character__c", "")
        chance, became, days = DEALS.get(character, (0.0, "open", (0, 1)))
        if rng.random() >= chance:
            return
        now_ms = self.org.clock.now_ms()
        closes_ms = now_ms + rng.randrange(*days) * DAY_MS
        changed_ms = min(closes_ms, now_ms - DAY_MS)
        values = {
            "Name": f"{contact.values['LastName']}: first order",
            "StageName": _STAGES[became],
            "CloseDate": shown(closes_ms)[:10],
            "Amount": rng.randrange(5, 120) * 1000.0,
            "AccountId": contact.values.get("AccountId"),
            "OwnerId": contact.values.get("OwnerId"),
        }
        deal = self._at("Opportunity", values, changed_ms - 40 * DAY_MS, changed_ms)
        role = {"OpportunityId": deal.id, "ContactId": contact.id, "Role": "Decision Maker", "IsPrimary": True}
        self._at("OpportunityContactRole", role, changed_ms - 40 * DAY_MS)

    def _hung(self, person: Row) -> dict[str, Any]:
        values = person.values
        return {"WhoId": person.id, "AccountId": values.get("AccountId"), "OwnerId": values.get("OwnerId")}

    def _at(self, object_: str, values: dict[str, Any], created_ms: int, stamp_ms: int = 0) -> Row:
        """A new record, made at the latest now."""
        created_ms = min(created_ms // 1000 * 1000, self.org.now_ms())
        stamp_ms = max(created_ms, stamp_ms // 1000 * 1000)
        return self.org.create(object_, values, created_ms=created_ms, stamp_ms=stamp_ms)


def diary(org: Org) -> Diary:
    """A diary of an org; campaigns that are missing are made."""
    campaigns = {str(row.values.get("Name")): row.id for row in org.live("Campaign")}
    for name, type_ in CAMPAIGNS.items():
        if name not in campaigns:
            at_ms = org.now_ms() - 400 * DAY_MS
            values = {"Name": name, "Type": type_, "Status": "In Progress", "IsActive": True}
            campaigns[name] = org.create("Campaign", values, created_ms=at_ms, stamp_ms=at_ms).id
    return Diary(org, campaigns)


def last_day(acts: Iterable[tuple[int, Habit]], now_ms: int) -> str | None:
    """The day of the last call, mail or meeting so far; None when there was none."""
    talked = [at_ms for at_ms, habit in acts if at_ms <= now_ms and habit.kind in ("call", "email", "meeting")]
    return shown(max(talked))[:10] if talked else None
