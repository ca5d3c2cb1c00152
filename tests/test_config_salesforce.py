"""A folder with both CRMs: wrong Salesforce files are explained where they stand, right ones load as they are meant.

The good folder is ``tests/data/config/both``; a row says what an admin typed in place of what stands there.
"""

import shutil
from pathlib import Path

import pytest

from config.loader import load
from config.parts import Column
from config.salesforce import SalesforceConnection

BOTH = Path(__file__).parent / "data" / "config" / "both"
FILE = "connections/salesforce.yaml"
# remark, what stood there, what was typed, where it shows, words of the message
MISTAKES = [
    # the file
    ("CRM mistyped", "crm: salesforce", "crm: saleforce", "1:6", 'did you mean "salesforce"?'),
    (
        "a name beside the file's",
        "crm: salesforce",
        "crm: salesforce\nname: main",
        "2:1",
        "the connection is called as its file, salesforce",
    ),
    ("version without .0", 'api_version: "66.0"', "api_version: 66", "2:14", 'such as "66.0"'),
    ("version too old", 'api_version: "66.0"', 'api_version: "21.0"', "2:14", 'such as "66.0"'),
    ("HubSpot's key", 'api_version: "66.0"', "portal: {id: 1, production: true}", "2:1", 'unknown key "portal"'),
    # the org
    ("org id that is none", "id: 00D5g000004XyzAEAS", "id: 0015g000004XyzA", "5:7", "must be the org's id (00D..."),
    (
        "http to another host",
        "url: https://acme.my.salesforce.com",
        "url: http://acme.my.salesforce.com",
        "4:8",
        "plain http would show the token",
    ),
    (
        "the browser's address",
        "url: https://acme.my.salesforce.com",
        "url: https://acme.lightning.force.com",
        "4:8",
        "acme.lightning.force.com is for people in a browser, not for the API; write the org's My Domain",
    ),
    (
        "the login page",
        "url: https://acme.my.salesforce.com",
        "url: https://login.salesforce.com",
        "4:8",
        "write the org's My Domain",
    ),
    (
        "an address with a path",
        "url: https://acme.my.salesforce.com",
        "url: https://acme.my.salesforce.com/services/data",
        "4:8",
        "only the beginning of the address",
    ),
    ("kind not said", "\n  production: false", "", "3:1", '"production" is missing in "org"'),
    # the login
    ("secret in the file", "env:SF_CLIENT_SECRET", "hush-secret", "10:18", "a secret does not stand in a config file"),
    ("key in the file", "env:SF_CLIENT_ID", "3MVG9-secret", "9:14", "a secret does not stand in a config file"),
    (
        "flow without its secret",
        "\n  client_secret: env:SF_CLIENT_SECRET",
        "",
        "7:1",
        "flow client_credentials needs client_secret",
    ),
    (
        "flow without its user",
        "flow: client_credentials\n  client_id: env:SF_CLIENT_ID\n  client_secret: env:SF_CLIENT_SECRET",
        "flow: jwt\n  client_id: env:SF_CLIENT_ID\n  private_key: file:/key",
        "7:1",
        "flow jwt needs username and private_key",
    ),
    ("unknown flow", "flow: client_credentials", "flow: password", "8:9", "must be one of client_credentials, jwt"),
    (
        "the other flow's key",
        "flow: client_credentials",
        "flow: client_credentials\n  private_key: file:/run/secrets/key",
        "9:3",
        '"private_key" goes with flow: jwt, not with flow: client_credentials',
    ),
    (
        "a list as what is kept",
        "from: Event",
        "from: Event, keep: {about: [Subject]}",
        "28:45",
        '"about" must be text, not a list',
    ),
    (
        "a user by display name",
        "flow: client_credentials\n  client_id: env:SF_CLIENT_ID\n  client_secret: env:SF_CLIENT_SECRET",
        "flow: jwt\n  client_id: env:SF_CLIENT_ID\n  username: Integration\n  private_key: file:/key",
        "10:13",
        "must be a user name of Salesforce (it has an @)",
    ),
    # which records
    ("scope of accounts", "scope:\n  lead:", "scope:\n  account:", "12:3", 'unknown key "account"'),
    ("operator of a scope", "{in: [B2B]}", "{on: [B2B]}", "12:41", "there is no operator 'on'"),
    ("list of a scope", "{in: [B2B]}", "{in_list: b2b}", "12:46", 'there is no list "b2b"'),
    ("no field in a scope", "{RecordType.DeveloperName:", "{Record Type:", "12:10", '"Record Type" is no field'),
    (
        "the account of a lead in a scope",
        "{RecordType.DeveloperName:",
        "{Account.Type:",
        "12:10",
        "a lead has no account",
    ),
    # links
    (
        "link to no connection",
        "links: {hubspot: {contact: HubSpot_Id__c}}",
        "links: {hubspt: {contact: HubSpot_Id__c}}",
        "13:9",
        'there is no connection "hubspt", did you mean "hubspot"? Connections here: hubspot, salesforce',
    ),
    (
        "link to itself",
        "links: {hubspot: {contact: HubSpot_Id__c}}",
        "links: {salesforce: {contact: HubSpot_Id__c}}",
        "13:9",
        '"salesforce" is this connection; a link leads to another one',
    ),
    (
        "link to no person",
        "links: {hubspot: {contact: HubSpot_Id__c}}",
        "links: {hubspot: {company: HubSpot_Id__c}}",
        "13:19",
        'a link leads to a person\'s record, not to "company"; hubspot has contact',
    ),
    ("link by a label", "contact: HubSpot_Id__c}}", "contact: HubSpot Id}}", "13:28", "is no API name of a field"),
    # facts
    ("a label for a field", "title: Title", "title: Job title", "16:10", '"Job title" is no field: write its API name'),
    ("unknown relation", "owner: Owner.Email", "owner: Ownr.Email", "20:10", "Account.Field, Owner.Field"),
    ("two steps", "owner: Owner.Email", "owner: Owner.Manager.Email", "20:10", "is no field"),
    ("a path without its field", "contact: Account.Name}", "contact: Account.}", "17:37", '"Account." is no field'),
    (
        "a whole record",
        "contact: Account.Name}",
        "contact: Account}",
        "17:37",
        '"Account" is a whole record; name a field of it, as Account.Field',
    ),
    (
        "the account of a lead",
        "{lead: Company,",
        "{lead: Account.Name,",
        "17:19",
        "a lead has no account; write one of its own fields, such as Company",
    ),
    (
        "the account of both",
        "title: Title",
        "title: Account.Name",
        "16:10",
        "write {contact: Account.Name}, with a lead: field of its own beside it",
    ),
    ("HubSpot's object", "{lead: Company,", "{company: Company,", "17:13", 'unknown key "company"'),
    ("no object", "{lead: Company, contact: Account.Name}", "{optional: true}", "17:3", "names no field; write {lead:"),
    ("word of sales", "Working: accepted", "Working: acepted", "23:33", 'did you mean "accepted"?'),
    (
        "sales' word of an account",
        "    lead: Status\n",
        "    contact: Account.Status__c\n",
        "22:14",
        "hand_off is said of one person",
    ),
    ("our own field as a fact", "title: Title", "title: leadmark_score__c", "16:10", "a field that leadmark writes"),
    ("optional is a word", "optional: true", "optional: yes", "19:72", '"optional" must be true or false'),
    # outcomes
    (
        "outcomes of opportunities",
        "outcomes: {from: OpportunityContactRole",
        "outcomes: {from: Opportunity",
        "24:18",
        '"from" must be OpportunityContactRole',
    ),
    (
        "unknown key of outcomes",
        "won: IsWon",
        "lost: IsLost",
        "24:42",
        'unknown key "lost"; known here: closed, from, won',
    ),
    ("outcome by a path", "won: IsWon", "won: Opportunity.IsWon", "24:47", "is no API name of a field"),
    # activities
    (
        "unknown source",
        "from: Event",
        "from: Meeting",
        "28:24",
        "must be one of CampaignMember, Task, Event, date_field",
    ),
    ("date_field without a field", ", field: Trial_On__c", "", "29:3", 'comes from date_field: say which in "field"'),
    (
        "field of a task",
        "call_logged: {from: Task,",
        "call_logged: {from: Task, field: Trial_On__c,",
        "27:29",
        '"field" goes with from: date_field, not with from: Task',
    ),
    (
        "a task's campaign",
        "{TaskSubtype: Call}",
        "{Campaign.Type: Webinar}",
        "27:37",
        '"Campaign.Type" goes with from: CampaignMember, and not with from: Task, which has no campaign',
    ),
    (
        "an event's campaign",
        "from: Event",
        "from: Event, keep: {campaign: Campaign}",
        "28:48",
        '"Campaign" goes with from: CampaignMember, and not with from: Event, which has no campaign',
    ),
    ("campaign mistyped", "type: Campaign.Type", "type: Campain.Type", "26:79", 'did you mean "Campaign"?'),
    ("attribute by a label", "status: Status}", "status: Member status}", "26:102", "is no field"),
    (
        "status of a date",
        "field: Trial_On__c",
        "field: Trial_On__c, where: {Status: Open}",
        "29:65",
        "a date_field has one attribute, field",
    ),
    (
        "author of a date",
        "field: Trial_On__c",
        "field: Trial_On__c, not_created_by: [sync@seller.example]",
        "29:57",
        '"not_created_by" goes with what somebody creates',
    ),
    (
        "a user by display name",
        "[hubspot.sync@seller.example]",
        "[HubSpot Integration]",
        "27:74",
        "named by user name or e-mail address",
    ),
    (
        "kind of two connections",
        "call_logged: {from: Task,",
        "form_submitted: {from: Task,",
        "27:3",
        '"form_submitted" already comes from connections/hubspot.yaml; one connection delivers a kind',
    ),
    (
        "no name of a kind",
        "call_logged: {from: Task,",
        "Call: {from: Task,",
        "27:3",
        '"Call" is no activity kind: use small letters, digits and _',
    ),
    (
        "our own field as a date",
        "field: Trial_On__c",
        "field: Leadmark_Score__c",
        "29:44",
        "a field that leadmark writes",
    ),
    # writing
    ("duplicates", "duplicates: linked", "duplicates: link", "30:13", 'did you mean "linked"?'),
    ("double underscore", "prefix: Leadmark_,", "prefix: Leadmark__,", "34:19", "single _ only, as Salesforce asks"),
    ("prefix with a hyphen", "prefix: Leadmark_,", "prefix: Lead-mark_,", "34:19", "must begin with a letter"),
    (
        "a long prefix",
        "prefix: Leadmark_,",
        "prefix: A_prefix_that_says_at_length_whose_,",
        "34:19",
        "longer than the 43 characters the CRM allows; shorten the prefix",
    ),
]


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(BOTH, tmp_path / "config"))


def mistype(folder: Path, stood: str, typed: str, file: str = FILE) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(stood) == 1, "the row must change one place"
    path.write_text(text.replace(stood, typed), encoding="utf-8")


def loaded(folder):
    found, problems = load(folder)
    assert found is not None, "\n".join(map(str, problems))
    assert not problems
    return {connection.name: connection for connection in found.connections}


def messages(folder):
    return [str(problem) for problem in load(folder)[1]]


@pytest.mark.parametrize(
    ("stood", "typed", "place", "words"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_one_mistake_makes_one_problem_where_it_stands(folder, stood, typed, place, words):
    mistype(folder, stood, typed)
    settings, problems = load(folder)
    assert settings is None
    assert len(problems) == 1, "\n".join(map(str, problems))
    assert str(problems[0]).startswith(f"{FILE}:{place}: ")
    assert words in problems[0].message
    assert "secret" not in problems[0].message.replace("a secret does not stand", "").replace("client_secret", "")


def test_two_models_may_not_write_one_field_whatever_its_capitals(folder):
    """Salesforce knows no capitals in a field's name."""
    text = (folder / "models/b2b.yaml").read_text(encoding="utf-8")
    (folder / "models/smb.yaml").write_text(text.replace("model: b2b", "model: smb"), encoding="utf-8")
    mistype(folder, "mql_since]}", "mql_since]}\n    smb: {prefix: leadmark_, outputs: [score]}")
    (message,) = messages(folder)
    assert message.startswith(f'{FILE}:35:40: field "leadmark_Score__c" is already written by model "b2b"')


# What works, but hardly as meant.


@pytest.mark.parametrize(
    ("stood", "typed", "problem"),
    [
        (
            "values: {New: new, Working: accepted, Unqualified: lost}",
            "optional: true",
            f"{FILE}:21:3: warning: hand_off says nothing without values",
        ),
        (
            "meeting_held: {from: Event}",
            "meeting_held: {from: Event}\n  visit_held: {from: Event, where: {Subject: Visit}}",
            f'{FILE}:29:3: warning: "visit_held" gets nothing: "meeting_held" above takes all that it would',
        ),
        (
            "meeting_held: {from: Event}",
            "meeting_held: {from: Event, keep: {about: Subject}}",
            f"{FILE}:28:45: warning: Subject is free text, and every different text would be a touchpoint of its own",
        ),
    ],
    ids=["sales' word untranslated", "a kind that is never reached", "free text"],
)
def test_a_warning_hinders_nothing(folder, stood, typed, problem):
    mistype(folder, stood, typed)
    settings, _ = load(folder)
    assert settings is not None
    (message,) = messages(folder)
    assert message.startswith(problem)


def test_free_text_that_is_classed_is_right(folder):
    classed = "keep: {about: Subject}, classes: {about: {pricing: [price, quote]}}"
    mistype(folder, "meeting_held: {from: Event}", f"meeting_held: {{from: Event, {classed}}}")
    loaded(folder)


def test_a_narrower_kind_above_a_wider_one_is_right(folder):
    mistype(folder, "  meeting_held:", "  visit_held: {from: Event, where: {Subject: Visit}}\n  meeting_held:")
    loaded(folder)


# Between the connections.


@pytest.mark.parametrize(
    ("typed", "place", "words"),
    [
        ("order: [salesforc]", "4:9", 'did you mean "salesforce"? Connections here: hubspot, salesforce'),
        ("order: [salesforce, hubspot, salesforce]", "4:30", 'connection "salesforce" stands twice'),
        ("prefer: {companyy: [salesforce]}", "4:10", 'no connection maps the fact "companyy", did you mean "company"?'),
        ("prefer: {company: [salesforc]}", "4:20", 'did you mean "salesforce"?'),
        ("prefer: {country: [salesforce]}", "4:20", 'salesforce does not map the fact "country"'),
        ("prefer: {email_type: [salesforce]}", "4:10", "derived from email"),
    ],
)
def test_order_and_prefer_name_what_is_there(folder, typed, place, words):
    mistype(folder, "primary: b2b", f"primary: b2b\n{typed}", "leadmark.yaml")
    (message,) = messages(folder)
    assert message.startswith(f"leadmark.yaml:{place}: ")
    assert words in message


def test_one_account_has_one_connection(folder):
    text = (folder / FILE).read_text(encoding="utf-8")
    kept = text[: text.index("activities:")] + text[text.index("duplicates:") :]
    (folder / "connections/other.yaml").write_text(
        kept.replace("links: {hubspot", "links: {salesforce"), encoding="utf-8"
    )
    assert any(
        message.startswith(f"{FILE}:5:7: connections/other.yaml already reaches this org")
        for message in messages(folder)
    )


def test_an_unreadable_connection_is_no_reason_to_blame_who_links_to_it(folder):
    (folder / "connections/hubspot.yaml").write_text("crm: {", encoding="utf-8")
    mistype(folder, "primary: b2b", "primary: b2b\norder: [hubspot]", "leadmark.yaml")
    assert {message.split(":")[0] for message in messages(folder)} == {"connections/hubspot.yaml"}


def test_every_mistake_of_a_file_shows_though_its_crm_is_mistyped(folder):
    mistype(folder, "crm: salesforce", "crm: sf")
    mistype(folder, "owner: Owner.Email", "owner: Ownr.Email")
    mistype(folder, ", field: Trial_On__c", "")
    assert [message.split(": ")[0] for message in messages(folder)] == [f"{FILE}:1:6", f"{FILE}:20:10", f"{FILE}:29:3"]


def test_a_file_that_tells_nothing_of_its_crm_is_asked_for_that_alone(folder):
    (folder / "connections/third.yaml").write_text("facts: {email: Email}\n", encoding="utf-8")
    (message,) = messages(folder)
    assert message == 'connections/third.yaml:1:1: "crm" is missing in this file; write crm: hubspot or crm: salesforce'


# What loads.


def test_the_settings_hold_what_the_file_says(folder):
    found = loaded(folder)["salesforce"]
    assert isinstance(found, SalesforceConnection)
    assert found.people == ("contact", "lead")
    assert found.org.id == "00D5g000004XyzAEAS"
    assert (found.calls.per_day_percent, found.calls.stop_percent) == (10, 80)
    assert found.links == {"hubspot": {"contact": "HubSpot_Id__c"}}
    assert found.facts["title"].columns == {"lead": "Title", "contact": "Title"}
    assert found.facts["company"].reads == (
        Column(record="lead", of="lead", field="Company"),
        Column(record="contact", of="account", field="Name"),
    )
    assert [column.of for column in found.facts["owner"].reads] == ["user", "user"]
    assert found.facts["do_not_profile"].optional
    assert not found.facts["email"].optional
    assert found.outcomes is not None
    assert (found.outcomes.won, found.outcomes.closed) == ("IsWon", "IsClosed")
    assert found.activities["call_logged"].where == {"TaskSubtype": ("Call",)}
    assert found.activities["call_logged"].not_created_by == ("hubspot.sync@seller.example",)
    assert found.duplicates == "linked"
    fields = found.write.fields["b2b"]
    assert [fields.field(output) for output in fields.outputs] == ["Leadmark_Score__c", "Leadmark_Mql_Since__c"]


def test_no_secret_is_needed(folder, monkeypatch):
    monkeypatch.delenv("SF_CLIENT_SECRET", raising=False)
    login = loaded(folder)["salesforce"].login
    assert (login.flow, login.client_secret, login.private_key) == ("client_credentials", "env:SF_CLIENT_SECRET", None)


@pytest.mark.parametrize("username", ["integration@seller.example", "env:SF_USER"])
def test_an_assertion_logs_in_instead_of_a_secret(folder, username):
    mistype(folder, "flow: client_credentials", "flow: jwt")
    typed = f"\n  username: {username}\n  private_key: file:/run/secrets/sf.pem"
    mistype(folder, "\n  client_secret: env:SF_CLIENT_SECRET", typed)
    login = loaded(folder)["salesforce"].login
    assert (login.flow, login.username, login.private_key) == ("jwt", username, "file:/run/secrets/sf.pem")


@pytest.mark.parametrize(
    ("stood", "typed"),
    [
        ("url: https://acme.my.salesforce.com", "url: env:SF_URL"),
        ("url: https://acme.my.salesforce.com", "url: https://acme--dev.sandbox.my.salesforce.com/"),
        ("url: https://acme.my.salesforce.com", "url: http://127.0.0.1:8085"),
        ("id: 00D5g000004XyzAEAS", "id: env:SF_ORG_ID"),
        ("id: 00D5g000004XyzAEAS", "id: 00D5g000004XyzA"),
        ('api_version: "66.0"', "api_version: 66.0"),
        ("{TaskSubtype: Call}", "{IsHighPriority: true}"),
        ("{TaskSubtype: Call}", "{RecordType.DeveloperName: Phone}"),
        ("prefix: Leadmark_,", ""),
        ("outcomes: {from: OpportunityContactRole, won: IsWon}\n", ""),
        ("keep: {campaign: Campaign, type: Campaign.Type, status: Status}", "where: {Campaign.Type: [Webinar, Event]}"),
    ],
    ids=lambda text: text[:40],
)
def test_what_may_be_written_loads(folder, stood, typed):
    mistype(folder, stood, typed)
    loaded(folder)


def test_a_scope_reads_fields_by_dots(folder):
    mistype(
        folder,
        "  lead: {RecordType",
        "  contact: {Account.Type: Customer, Inactive__c: {not_in: [true]}}\n  lead: {RecordType",
    )
    scope = loaded(folder)["salesforce"].scope
    assert scope["lead"].names() == {"RecordType.DeveloperName"}
    assert scope["contact"].names() == {"Account.Type", "Inactive__c"}


def test_a_truth_in_where_is_the_text_the_crm_gives(folder):
    mistype(folder, "{TaskSubtype: Call}", "{IsHighPriority: true}")
    assert loaded(folder)["salesforce"].activities["call_logged"].where == {"IsHighPriority": ("true",)}


# Order, and the links of HubSpot's own sync.


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("", ["hubspot", "salesforce"]),
        ("order: [salesforce]", ["salesforce", "hubspot"]),
        ("order: [salesforce, hubspot]", ["salesforce", "hubspot"]),
    ],
)
def test_connections_come_in_the_order_said_and_then_by_name(folder, order, names):
    mistype(folder, "primary: b2b", f"primary: b2b\n{order}", "leadmark.yaml")
    assert list(loaded(folder)) == names


def another(folder: Path) -> None:
    """A second Salesforce connection, which delivers no activities."""
    text = (folder / FILE).read_text(encoding="utf-8").replace("00D5g000004XyzAEAS", "00D5g000004XyzBEAS")
    kept = text[: text.index("activities:")] + text[text.index("duplicates:") :]
    (folder / "connections/east.yaml").write_text(kept, encoding="utf-8")


def test_a_portal_is_linked_to_the_one_org_by_the_fields_of_hubspots_sync(folder):
    links = loaded(folder)["hubspot"].links
    assert links == {"salesforce": {"lead": "salesforceleadid", "contact": "salesforcecontactid"}}


@pytest.mark.parametrize("said", [{}, {"salesforce": {"contact": "sf_contact"}}], ids=["no links", "other links"])
def test_links_that_are_said_stay_as_they_are(folder, said):
    typed = "links: {}" if not said else "links: {salesforce: {contact: sf_contact}}"
    mistype(folder, "crm: hubspot", f"crm: hubspot\n{typed}", "connections/hubspot.yaml")
    assert loaded(folder)["hubspot"].links == said


def test_no_links_are_assumed_beside_two_orgs_or_none(folder):
    another(folder)
    assert loaded(folder)["hubspot"].links is None
    assert loaded(BOTH.with_name("good"))["hubspot"].links is None


def test_an_org_is_linked_to_nothing_by_itself(folder):
    mistype(folder, "links: {hubspot: {contact: HubSpot_Id__c}}\n", "")
    assert loaded(folder)["salesforce"].links is None


def test_the_installation_says_whose_values_count_first_and_how_the_worker_runs(folder):
    mistype(folder, "primary: b2b", "primary: b2b\nprefer: {company: [salesforce]}", "leadmark.yaml")
    found, problems = load(folder)
    assert not problems
    assert found is not None
    assert found.prefer == {"company": ("salesforce",)}
    assert (found.worker.every_s, found.worker.deadline_s) == (300, 1800)
    assert (found.worker.host, found.worker.port) == ("127.0.0.1", 0)


def test_several_orgs_may_stand_side_by_side(folder):
    another(folder)
    mistype(folder, "primary: b2b", "primary: b2b\nprefer: {company: [salesforce, east]}", "leadmark.yaml")
    assert list(loaded(folder)) == ["east", "hubspot", "salesforce"]
