"""The guide "first Salesforce org", followed command by command against an emulated org."""

import json
import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from config import starters
from config.loader import load
from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.people import make_org
from connectors.emulator.server import Emulator
from scoring.wording import OUTPUT_TYPES
from sync.answers.explain import all_explained, scoring_of
from sync.app import Quiet, open_runtime
from sync.cli import run
from sync.run import run_pass
from sync.runtime import Options
from sync.store import tables

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
GUIDE = (GUIDES / "first-salesforce-org.md").read_text(encoding="utf-8")
FILES = GUIDES / "salesforce"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PEOPLE = 130
CREDENTIALS = {"SF_CLIENT_ID": "emulator-client", "SF_CLIENT_SECRET": "emulator-secret", "HS_TOKEN": "pat-emulator"}
VICE_PRESIDENT = {"Title": "VP Marketing", "Company": "Northwind", "NumberOfEmployees": 120}
#: the guide's commands in order: how each begins, its exit code, how many records hold a score after it
COMMANDS = [
    ("leadmark init", 0, 0),
    ("leadmark check", 0, 0),
    ("leadmark plan", 2, 0),
    ("leadmark explain", 0, 0),
    ("leadmark timeline", 0, 0),
    ("leadmark sync", 0, 20),
    ("leadmark sync", 3, 20),
    ("leadmark sync --config crm --approve", 0, PEOPLE),
    ("leadmark status", 0, PEOPLE),
]


class Admin:
    """Somebody with a shell and an org, who types what the guide says."""

    def __init__(self, folder: Path, monkeypatch, capsys) -> None:
        self.folder = folder
        #: how the outputs of the guide's connection end
        self.outputs = "summary]"
        self._variables, self._output = monkeypatch, capsys
        clock = EmulatorClock(NOW)
        self.org = Org(clock)
        self.org.is_sandbox = False
        self.emulator = Emulator.start(World(clock), org=self.org)

    def export(self, line: str) -> None:
        """Sets a variable of the guide to what it is in the emulated org."""
        name = line.split()[1].partition("=")[0]
        values = {"SF_URL": self.emulator.url, "SF_ORG_ID": self.org.org_id, **CREDENTIALS}
        self._variables.setenv(name, values[name])

    def type(self, line: str, code: int = 0) -> str:
        """What a leadmark command says on stdout; it must end with the code. A minute goes by."""
        program, *words = shlex.split(line)
        assert program == "leadmark"
        self._variables.setenv("LEADMARK_NOW", self.org.clock.now().isoformat())
        self._output.readouterr()
        ended = run(words)
        self.org.clock.advance(60)
        said = self._output.readouterr()
        assert ended == code, (line, said)
        return said.out

    def follow(self, commands: int = len(COMMANDS)) -> list[str]:
        """Does all that the guide says, up to its n-th command; what each command said."""
        said = [""]
        for language, part in steps():
            if len(said) > commands:
                break
            if language == "yaml":
                self.lay(part)
            elif part.startswith("export"):
                self.export(part)
            else:
                words, code, written = COMMANDS[len(said) - 1]
                assert part.startswith(words), part
                approved = re.findall(r"--approve (\w+)", said[-1])
                said.append(self.type(part.replace("CODE", approved[-1]) if approved else part, code))
                assert self.written() == written, part
        assert len(said) - 1 == commands
        return said[1:]

    def lay(self, block: str) -> None:
        """Puts a file of the guide into the config folder; one shown in part is laid over what stands there."""
        headed = re.match(r"# (\S+\.yaml)(, in part)?\n", block)
        assert headed is not None, block
        file = self.folder / "crm" / headed[1]
        assert file.is_file(), "the starter has it"
        if headed[1].startswith("models/"):
            shutil.rmtree(self.folder / "crm" / "golden")
        if headed[2]:
            block = yaml.safe_dump(merged(yaml.safe_load(file.read_text()), yaml.safe_load(block)), sort_keys=False)
        file.write_text(block.replace("summary]", self.outputs), encoding="utf-8")

    def lead(self, **values) -> str:
        return self.org.create("Lead", {"Status": "Open - Not Contacted", **values}).id

    def asks(self, lead: str) -> None:
        """The lead responds to a campaign for demos."""
        campaign = self.org.create("Campaign", {"Name": "Demo request", "Type": "Web Form", "IsActive": True})
        responded = {"Status": "Responded", "HasResponded": True}
        on = self.org.clock.now().date().isoformat()
        self.org.create(
            "CampaignMember", {"CampaignId": campaign.id, "LeadId": lead, **responded, "FirstRespondedDate": on}
        )

    def held(self, name: str, email: str) -> dict:
        """The values of the record with the address."""
        (values,) = [row.values for row in self.org.live(name) if row.values["Email"] == email]
        return dict(values)

    def flow(self):
        """Tells of whom the conditions in the guide's table hold since it was last asked."""
        rows = re.findall(r"^\| (\d) \| `(\w+)` \| ([\w ]+) \| `?(\w+)`? \|$", GUIDE, re.MULTILINE)
        logic = re.search(r"custom logic `([^`]+)`", GUIDE)[1]
        assert logic == "1 AND 2 AND (3 OR 4)"
        before = {row.id: dict(row.values) for row in self.org.live("Lead")}

        def fires() -> list[str]:
            found = []
            for row in self.org.live("Lead"):
                old = before.get(row.id, {})
                holds = {
                    number: row.values.get(field) != old.get(field)
                    if operator == "Is Changed"
                    else row.values.get(field) == value
                    for number, field, operator, value in rows
                }
                if holds["1"] and holds["2"] and (holds["3"] or holds["4"]):
                    found.append(row.id)
                before[row.id] = dict(row.values)
            return found

        return fires

    def written(self) -> int:
        """How many records of people hold a score."""
        rows = [row for name in ("Lead", "Contact") for row in self.org.live(name)]
        return sum(row.values.get("Leadmark_Score__c") is not None for row in rows)


def merged(below, above):
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: merged(below.get(key), value) for key, value in above.items()}
    return above


def steps() -> list[tuple[str, str]]:
    """The guide's files and commands in order, as (language, text); a command a line."""
    found = re.findall(r"^```(sh|yaml)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [
        (language, part) for language, block in found for part in (block.splitlines() if language == "sh" else [block])
    ]


@pytest.fixture
def admin(tmp_path, monkeypatch, capsys):
    """With an org of people: the asker the guide looks at, some of the admin's own, one customer, many others."""
    monkeypatch.chdir(tmp_path)
    one = Admin(tmp_path, monkeypatch, capsys)
    org = one.org
    mine = {"Username": "you@your-company.example", "Email": "you@your-company.example", "LastName": "You"}
    me = org.create("User", {**mine, "IsActive": True})
    one.asks(one.lead(LastName="Byron", Email="ada@northwind.example", **VICE_PRESIDENT))
    account = org.create("Account", {"Name": "Southwind", "Type": "Customer - Direct", "NumberOfEmployees": 40})
    org.create("Contact", {"LastName": "Kay", "Email": "kay@southwind.example", "AccountId": account.id})
    for number in range(PEOPLE - 2):
        owner = {"OwnerId": me.id} if number < 30 else {}
        one.lead(LastName=f"No{number}", Email=f"no{number}@people.example", **VICE_PRESIDENT, **owner)
    yield one
    one.emulator.stop()


def test_the_guide_leads_from_nothing_to_live(admin):
    check, plan, explained, timeline = admin.follow()[1:5]
    assert check.startswith("fine: 1 connection, 1 model")
    assert "Leadmark_Score__c" in plan
    assert "Asked for a demo" in explained
    assert "Demo request" in timeline
    assert admin.held("Lead", "ada@northwind.example")["Leadmark_Mql_Status__c"] == "MQL"
    assert admin.held("Contact", "kay@southwind.example")["Leadmark_Mql_Status__c"] == "Disqualified"


def test_the_guides_flow_fires_on_people_and_never_on_a_backfill(admin):
    """From the guide's own conditions: none of the first writes, then who asked today."""
    admin.outputs = "summary, mql_cause]"
    fired = admin.flow()
    admin.follow()
    first = admin.held("Lead", "ada@northwind.example")
    assert (first["Leadmark_Mql_Status__c"], first["Leadmark_Mql_Cause__c"]) == ("MQL", "first")
    assert fired() == []
    admin.org.clock.advance(3600)
    (lead,) = [row.id for row in admin.org.live("Lead") if row.values["Email"] == "no40@people.example"]
    admin.asks(lead)
    admin.type("leadmark sync --config crm")
    assert fired() == [lead]


def stops(org: Org) -> dict[str, Callable[[], None]]:
    """What an admin meets, by the words in the guide's table -> how it comes about."""
    lead = org.objects["Lead"].fields
    return {
        "Salesforce refused the login …": org.tokens.secrets.clear,
        "the credentials reach org …": lambda: setattr(org, "is_sandbox", True),
        "our fields do not exist on lead: …": lambda: setattr(lead["Leadmark_Tier__c"], "readable", False),
        "are read-only": lambda: setattr(lead["Leadmark_Tier__c"], "editable", False),
        "mapped fields are gone or hidden: …": lambda: setattr(lead["NumberOfEmployees"], "readable", False),
    }


@pytest.mark.parametrize("words", stops(Org(EmulatorClock(NOW))))
def test_what_stops_says_so_in_the_words_of_the_guide(admin, words):
    assert f"`{words}`" in GUIDE.partition("## When it stops")[2]
    admin.follow(2)
    stops(admin.org)[words]()
    assert words.rstrip("… ") in " ".join(admin.type("leadmark plan --config crm", 4).split())


def test_the_guides_exports_are_what_its_connection_asks_for():
    exported = {part.split()[1].split("=")[0] for language, part in steps() if part.startswith("export")}
    connection = next(part for _, part in steps() if part.startswith("# connections/salesforce.yaml\n"))
    assert set(re.findall(r"env:(\w+)", connection)) == exported


@pytest.mark.parametrize("crms", [("salesforce",), ("hubspot", "salesforce")], ids=str)
def test_every_rule_of_the_starter_scores_somebody_of_the_emulated_people(tmp_path, monkeypatch, crms):
    world = make_world(300, 7, now=NOW)
    world.limits.on = False
    org = make_org(world if "hubspot" in crms else None, 300, 7, now=NOW)
    starters.write("b2b-saas", tmp_path / "crm", crms)
    overlay = tmp_path / "emulator.yaml"
    with Emulator.start(world, org=org) as emulator:
        places = {"connections/salesforce": {"org": {"url": emulator.url, "id": org.org_id, "production": False}}}
        if "hubspot" in crms:
            places["connections/hubspot"] = {
                "url": emulator.url,
                "portal": {"id": str(world.portal_id), "production": False},
            }
        overlay.write_text(yaml.safe_dump(places))
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        settings, _ = load(tmp_path / "crm", overlay)
        assert settings is not None
        with open_runtime(settings, progress=Quiet(), now=lambda: NOW) as runtime:
            report = run_pass(runtime, Options())
            assert {one.state for one in report.connections.values()} == {"shadow"}
            with runtime.store.begin() as tx:
                people = tx.execute(select(tables.record.c.person).distinct()).scalars()
                told = all_explained(tx, [person for person in people if person], scoring_of(tx, settings, NOW))
                fired = set(re.findall(r'"kind": "rule", "key": "(\w+)"', json.dumps([one.to_json() for one in told])))
    assert fired == {rule for _, rule, _ in settings.models["b2b"].rules()}


# The files beside the guide

SALESFORCE = "{http://soap.sforce.com/2006/04/metadata}"
#: the metadata type a field has for a type of output
TYPES = {"number": {"Number"}, "date": {"Date"}, "option": {"Text"}, "text": {"Text", "LongTextArea"}}
#: fields that need no right: Salesforce always shows them
ALWAYS_SHOWN = {
    "Lead.Company": "required",
    "Lead.Status": "required",
    "Account.Name": "required",
    "Campaign.Name": "required",
    "Lead.EmailBouncedDate": "set by Salesforce alone",
    "Contact.EmailBouncedDate": "set by Salesforce alone",
    "CampaignMember.Status": "goes with the campaign",
}
#: an address is one field to rights
ADDRESSES = {"Lead.Country": "Lead.Address", "Contact.MailingCountry": "Contact.MailingAddress"}


def texts(path: str, *steps: str) -> list[str]:
    root = ET.parse(FILES / path).getroot()
    return [found.text or "" for found in root.findall("/".join(f"{SALESFORCE}{step}" for step in steps))]


@pytest.fixture
def connection(tmp_path):
    starters.write("b2b-saas", tmp_path, ("salesforce",))
    settings, _ = load(tmp_path)
    return settings.connections[0]


@pytest.mark.parametrize("name", ["Lead", "Contact"])
def test_the_files_have_a_field_for_every_output_of_the_starter(connection, name):
    fields = connection.write.fields["b2b"]
    kinds = {}
    for element in ET.parse(FILES / f"deploy/objects/{name}.object").getroot():
        found = {child.tag.removeprefix(SALESFORCE): child.text for child in element}
        kinds[found["fullName"]] = found
        assert found["trackHistory"] == "false"
    assert list(kinds) == [fields.field(output) for output in OUTPUT_TYPES]
    assert set(fields.outputs) <= set(OUTPUT_TYPES)
    for output, kind in OUTPUT_TYPES.items():
        assert kinds[fields.field(output)]["type"] in TYPES[kind], output


def test_the_files_name_all_they_have(connection):
    fields = [connection.write.fields["b2b"].field(output) for output in OUTPUT_TYPES]
    members = texts("deploy/package.xml", "types", "members")
    assert members == [*(f"Lead.{name}" for name in fields), *(f"Contact.{name}" for name in fields), "Leadmark"]
    assert texts("lead-conversion.xml", "objectMapping", "mappingFields", "inputField") == fields
    assert texts("lead-conversion.xml", "objectMapping", "mappingFields", "outputField") == fields


def test_the_permission_set_gives_what_the_starter_needs_and_no_more(connection):
    root = ET.parse(FILES / "deploy/permissionsets/Leadmark.permissionset").getroot()

    def rows(name):
        found = root.findall(f"{SALESFORCE}{name}")
        return [{child.tag.removeprefix(SALESFORCE): child.text for child in element} for element in found]

    fields = {row["field"]: row["editable"] == "true" for row in rows("fieldPermissions")}
    ours = {
        f"{name}.{connection.write.fields['b2b'].field(output)}"
        for name in ("Lead", "Contact")
        for output in OUTPUT_TYPES
    }
    assert {field for field, editable in fields.items() if editable} == ours
    needed = {"Contact.AccountId"}
    for source in connection.facts.values():
        for object_, path in source.columns.items():
            relation, _, field = path.rpartition(".")
            if relation not in ("Owner", "Individual") and not field.endswith("__c"):
                needed.add(f"{relation or object_.capitalize()}.{field}")
    needed.add("Campaign.Type")
    needed = {ADDRESSES.get(field, field) for field in needed} - set(ALWAYS_SHOWN)
    assert set(fields) - ours == needed
    objects = {row["object"]: row for row in rows("objectPermissions")}
    assert {name for name, row in objects.items() if row["allowEdit"] == "true"} == {"Lead", "Contact"}
    for row in objects.values():
        assert (row["allowRead"], row["viewAllRecords"]) == ("true", "true")
        assert {row["allowCreate"], row["allowDelete"], row["modifyAllRecords"]} == {"false"}


def test_the_guides_table_has_every_field_with_its_type(connection):
    rows = re.findall(r"^\| (`Leadmark_.*?) \| (.*?) \|", GUIDE, re.MULTILINE)
    told = {field: kind for fields, kind in rows for field in re.findall(r"`(\w+)`", fields)}
    assert set(told) == {connection.write.fields["b2b"].field(output) for output in OUTPUT_TYPES}
    for output, kind in OUTPUT_TYPES.items():
        shown = told[connection.write.fields["b2b"].field(output)]
        assert re.sub(r"\(.*| ", "", shown) in TYPES[kind], output
