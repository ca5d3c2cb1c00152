"""Wrong config of many kinds: each is found where it stands, in words that help, and nothing loads.

The good folder is ``tests/data/config/good``; a row says what an admin typed in place of what stands there.
"""

import shutil
from pathlib import Path

import pytest

from config.loader import load

GOOD = Path(__file__).parent / "data" / "config" / "good"


def edited(*changes: tuple[str, str]) -> str:
    """The good model with these changes."""
    text = (GOOD / "models" / "b2b.yaml").read_text(encoding="utf-8")
    for stood, typed in changes:
        assert text.count(stood) == 1, f"{stood} must be one place"
        text = text.replace(stood, typed)
    return text


# kind of mistake, file, what stood there (None: the whole file), what was typed, where it shows, words of the message
MISTAKES = [
    # YAML itself
    ("tab", "leadmark.yaml", "primary: b2b", "primary:\n\tb2b", "leadmark.yaml:4:1", "a tab; indent with spaces"),
    (
        "open brace",
        "connections/hubspot.yaml",
        "owner: {owner: email}",
        "owner: {owner: email",
        "connections/hubspot.yaml:12:10",
        'the "{" that opens here is not closed',
    ),
    (
        "open bracket",
        "models/b2b.yaml",
        "facts: [company]}",
        "facts: [company}",
        "models/b2b.yaml:32:49",
        'the "[" that opens here is not closed',
    ),
    (
        "open quote",
        "models/b2b.yaml",
        "label: Called us}",
        'label: "Called us}',
        "models/b2b.yaml:18:58",
        "the quote that opens here is never closed",
    ),
    (
        "indentation",
        "models/b2b.yaml",
        "    cap: 60",
        "   cap: 60",
        "models/b2b.yaml:15:4",
        "indentation fits no line above",
    ),
    (
        "colon in text",
        "models/b2b.yaml",
        "        label: Clicked in a mail",
        "        label: Mail: clicked",
        "models/b2b.yaml:28:20",
        "in quotes",
    ),
    (
        "no colon",
        "leadmark.yaml",
        "time_zone: Europe/Berlin",
        "time_zone",
        "leadmark.yaml:2:1",
        'a ":" is missing after this key',
    ),
    (
        "no space after colon",
        "connections/hubspot.yaml",
        "crm: hubspot",
        "crm:hubspot",
        "connections/hubspot.yaml:2:4",
        'a ":" where none can be',
    ),
    (
        "at sign",
        "connections/hubspot.yaml",
        "{owner: ops@seller.example}",
        "{owner: @ops}",
        "connections/hubspot.yaml:25:24",
        "text that begins with @",
    ),
    (
        "percent sign",
        "connections/hubspot.yaml",
        "changed: 20%",
        "changed: %20",
        "connections/hubspot.yaml:26:33",
        'must stand in "quotes"',
    ),
    (
        "duplicate key",
        "models/b2b.yaml",
        "  mail:\n",
        "  conversion:\n",
        "models/b2b.yaml:19:3",
        'key "conversion" stands twice; the first is at 13:3',
    ),
    ("tag", "models/b2b.yaml", "points: 20", "points: !!int 20", "models/b2b.yaml:18:47", "tags"),
    (
        "merge key",
        "models/b2b.yaml",
        "{activity: call_received,",
        "{<<: {a: b}, activity: call_received,",
        "models/b2b.yaml:18:14",
        "merge keys",
    ),
    (
        "two documents",
        "leadmark.yaml",
        "primary: b2b",
        "---\nprimary: b2b",
        "leadmark.yaml:3:1",
        "one file holds one document",
    ),
    (
        "undefined alias",
        "models/b2b.yaml",
        "limit: 1 per day each mail",
        "limit: *daily",
        "models/b2b.yaml:27:16",
        "without its anchor",
    ),
    (
        "alias to itself",
        "models/b2b.yaml",
        "[{title: {contains: intern}}",
        "&all [*all, {title: {contains: intern}}",
        "models/b2b.yaml:30:22",
        "write it out instead",
    ),
    ("list as key", "leadmark.yaml", "primary: b2b", "? [primary]\n: b2b", "leadmark.yaml:3:3", "a key must be a text"),
    (
        "control character",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b\x07b",
        "leadmark.yaml:3:11",
        "a character that YAML does not allow",
    ),
    # keys
    (
        "unknown key",
        "models/b2b.yaml",
        "half_life: 60d",
        "halflife: 60d",
        "models/b2b.yaml:4:16",
        'unknown key "halflife", did you mean "half_life"?',
    ),
    (
        "later key",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nschedule: {every: 5m}",
        "leadmark.yaml:4:1",
        'unknown key "schedule"; known here: order, prefer, primary, retention, segments, store, time_zone, worker',
    ),
    (
        "later key in model",
        "models/b2b.yaml",
        "mql:\n",
        "alerts: {surge: 20}\nmql:\n",
        "models/b2b.yaml:31:1",
        'unknown key "alerts"',
    ),
    (
        "key in wrong case",
        "connections/hubspot.yaml",
        "  mode: shadow",
        "  Mode: shadow",
        "connections/hubspot.yaml:24:3",
        'did you mean "mode"?',
    ),
    (
        "missing key",
        "connections/hubspot.yaml",
        "portal: {id: 4242, production: false}",
        "portal: {production: false}",
        "connections/hubspot.yaml:4:1",
        '"id" is missing in "portal"',
    ),
    (
        "missing section",
        "connections/hubspot.yaml",
        "portal: {id: 4242, production: false}\n",
        "",
        "connections/hubspot.yaml:1:1",
        '"portal" is missing in this file',
    ),
    (
        "missing label",
        "models/b2b.yaml",
        ", label: Called us}",
        "}",
        "models/b2b.yaml:18:7",
        '"label" is missing in "call"',
    ),
    (
        "empty section",
        "models/b2b.yaml",
        "  intern: {if: {any: [{title: {contains: intern}}, {company: {missing: true}}]}, label: Intern}\n",
        "",
        "models/b2b.yaml:29:12",
        '"disqualify" must be keys with values below it, not nothing',
    ),
    (
        "name of a connection",
        "connections/hubspot.yaml",
        "crm: hubspot",
        "crm: hubspot\nname: main",
        "connections/hubspot.yaml:2:1",
        "the connection is called as its file",
    ),
    (
        "unknown object of a fact",
        "connections/hubspot.yaml",
        "title: {contact: jobtitle}",
        "title: {contakt: jobtitle}",
        "connections/hubspot.yaml:8:11",
        'did you mean "contact"?',
    ),
    # kinds of values
    (
        "yes is no boolean",
        "connections/hubspot.yaml",
        "production: false",
        "production: no",
        "connections/hubspot.yaml:4:32",
        '"production" must be true or false, not the text "no"',
    ),
    (
        "exponent is no number",
        "models/b2b.yaml",
        "points: 20",
        "points: 2e1",
        "models/b2b.yaml:18:47",
        "'2e1' is no number",
    ),
    (
        "octal is no number",
        "connections/hubspot.yaml",
        "at_most: 20",
        "at_most: 020",
        "connections/hubspot.yaml:25:54",
        'must be a whole number, not the text "020"',
    ),
    ("quoted number", "models/b2b.yaml", "cap: 60", 'cap: "60"', "models/b2b.yaml:15:10", "'60' is no number"),
    (
        "half a record",
        "connections/hubspot.yaml",
        "new_mql: 50",
        "new_mql: 50.5",
        "connections/hubspot.yaml:26:20",
        "must be a whole number, not 50.5",
    ),
    (
        "boolean as number",
        "connections/hubspot.yaml",
        "new_mql: 50",
        "new_mql: true",
        "connections/hubspot.yaml:26:20",
        "must be a whole number, not true",
    ),
    (
        "negative count",
        "connections/hubspot.yaml",
        "new_mql: 50",
        "new_mql: -1",
        "connections/hubspot.yaml:26:20",
        "must be at least 0, not -1",
    ),
    (
        "text as list",
        "connections/hubspot.yaml",
        "outputs: [score, tier, mql_status, summary]",
        "outputs: score",
        "connections/hubspot.yaml:29:16",
        '"outputs" must be a list, such as [a, b], not the text "score"',
    ),
    (
        "list as text",
        "leadmark.yaml",
        "primary: b2b",
        "primary: [b2b]",
        "leadmark.yaml:3:10",
        '"primary" must be text, not a list',
    ),
    (
        "text as mapping",
        "connections/hubspot.yaml",
        "guard: {new_mql: 50, changed: 20%}",
        "guard: strict",
        "connections/hubspot.yaml:26:10",
        '"guard" must be keys with values below it',
    ),
    (
        "list as file",
        "leadmark.yaml",
        "store: ../store\ntime_zone: Europe/Berlin\nprimary: b2b\nretention: {activities: 760d, gone: 90d}\n",
        "- store\n",
        "leadmark.yaml:1:1",
        "a config file holds keys with values; this one has a list",
    ),
    ("empty file", "models/b2b.yaml", None, "# later\n", "models/b2b.yaml:1:1", "this one has nothing in it"),
    (
        "unknown choice",
        "connections/hubspot.yaml",
        "mode: shadow",
        "mode: lve",
        "connections/hubspot.yaml:24:9",
        'must be one of shadow, canary, live; not the text "lve", did you mean "live"?',
    ),
    (
        "unknown source",
        "connections/hubspot.yaml",
        "from: form_submissions",
        "from: form_submission",
        "connections/hubspot.yaml:16:11",
        'did you mean "form_submissions"?',
    ),
    (
        "unknown event",
        "connections/hubspot.yaml",
        "type: CLICK",
        "type: CLICKED",
        "connections/hubspot.yaml:19:45",
        'did you mean "CLICK"?',
    ),
    ("span in hours", "leadmark.yaml", "gone: 90d", "gone: 90h", "leadmark.yaml:4:37", "write days such as '30d'"),
    (
        "span without unit",
        "leadmark.yaml",
        "activities: 760d",
        "activities: 760",
        "leadmark.yaml:4:25",
        "'760' is no span",
    ),
    (
        "no percent",
        "connections/hubspot.yaml",
        "changed: 20%",
        "changed: 120%",
        "connections/hubspot.yaml:26:33",
        '"changed" must be a whole percent',
    ),
    (
        "label as property",
        "connections/hubspot.yaml",
        "title: {contact: jobtitle}",
        "title: {contact: Job title}",
        "connections/hubspot.yaml:8:20",
        "no internal name of a HubSpot property",
    ),
    (
        "unknown zone",
        "leadmark.yaml",
        "Europe/Berlin",
        "Europe/Berln",
        "leadmark.yaml:2:12",
        'did you mean "Europe/Berlin"?',
    ),
    ("API release", "connections/hubspot.yaml", "2026-09", "v3", "connections/hubspot.yaml:3:14", "such as 2026-09"),
    (
        "plain http",
        "connections/hubspot.yaml",
        "http://127.0.0.1:8085",
        "http://crm.example",
        "connections/hubspot.yaml:2:6",
        "use https",
    ),
    (
        "no address",
        "connections/hubspot.yaml",
        "http://127.0.0.1:8085",
        "api.hubapi.com",
        "connections/hubspot.yaml:2:6",
        "such as https://api.hubapi.com",
    ),
    (
        "secret in the file",
        "connections/hubspot.yaml",
        "env:HS_TOKEN",
        "pat-na1-0000-secret",
        "connections/hubspot.yaml:5:22",
        "env:NAME for an environment variable",
    ),
    (
        "password in the store",
        "leadmark.yaml",
        "../store",
        "postgresql://u:secret@db.example/leadmark",
        "leadmark.yaml:1:8",
        "put the whole address into env:NAME",
    ),
    (
        "portal is no number",
        "connections/hubspot.yaml",
        "id: 4242",
        "id: acme",
        "connections/hubspot.yaml:4:14",
        "must be the portal's number",
    ),
    (
        "prefix",
        "connections/hubspot.yaml",
        "      outputs:",
        "      prefix: LM-\n      outputs:",
        "connections/hubspot.yaml:29:15",
        "small letter",
    ),
    (
        "a CRM that is none of ours",
        "connections/hubspot.yaml",
        "crm: hubspot",
        "crm: dynamics",
        "connections/hubspot.yaml:1:6",
        'leadmark knows no CRM "dynamics"; write crm: hubspot or crm: salesforce',
    ),
    (
        "CRM mistyped",
        "connections/hubspot.yaml",
        "crm: hubspot",
        "crm: hubspt",
        "connections/hubspot.yaml:1:6",
        'did you mean "hubspot"?',
    ),
    (
        "CRM not said",
        "connections/hubspot.yaml",
        "crm: hubspot\n",
        "",
        "connections/hubspot.yaml:1:1",
        '"crm" is missing in this file; write crm: hubspot or crm: salesforce',
    ),
    # how the worker runs, and whose values count first
    (
        "days between passes",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nworker: {every: 1d}",
        "leadmark.yaml:4:17",
        "must be a span such as 30s, 5m or 2h",
    ),
    (
        "no port",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nworker: {port: 80800}",
        "leadmark.yaml:4:16",
        '"port" must be at most 65535, not 80800',
    ),
    (
        "order of a connection that is not there",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\norder: [hubspt]",
        "leadmark.yaml:4:9",
        'there is no connection "hubspt", did you mean "hubspot"? Connections here: hubspot',
    ),
    (
        "order twice",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\norder: [hubspot, hubspot]",
        "leadmark.yaml:4:18",
        "stands twice; keep one",
    ),
    (
        "unmapped fact preferred",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nprefer: {employes: [hubspot]}",
        "leadmark.yaml:4:10",
        'no connection maps the fact "employes", did you mean "employees"?',
    ),
    (
        "derived fact preferred",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nprefer: {seniority: [hubspot]}",
        "leadmark.yaml:4:10",
        "derived from title",
    ),
    (
        "sales' word preferred",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nprefer: {hand_off: [hubspot]}",
        "leadmark.yaml:4:10",
        "none is preferred",
    ),
    (
        "preferred connection that is not there",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nprefer: {country: [salesforce]}",
        "leadmark.yaml:4:20",
        'there is no connection "salesforce"; connections here: hubspot',
    ),
    # calls, scope and links
    (
        "share of calls",
        "connections/hubspot.yaml",
        "facts:\n",
        "calls: {per_day: ten}\nfacts:\n",
        "connections/hubspot.yaml:6:18",
        '"per_day" must be a whole percent from 0% to 100%',
    ),
    (
        "scope of companies",
        "connections/hubspot.yaml",
        "facts:\n",
        "scope: {company: {country: NO}}\nfacts:\n",
        "connections/hubspot.yaml:6:9",
        'unknown key "company"',
    ),
    (
        "operator of a scope",
        "connections/hubspot.yaml",
        "facts:\n",
        "scope: {contact: {country: {is_not: NO}}}\nfacts:\n",
        "connections/hubspot.yaml:6:37",
        "there is no operator 'is_not'",
    ),
    (
        "list of a scope",
        "connections/hubspot.yaml",
        "facts:\n",
        "scope: {contact: {country: {in_list: target}}}\nfacts:\n",
        "connections/hubspot.yaml:6:38",
        'there is no list "target", did you mean "targets"?',
    ),
    (
        "link to nowhere",
        "connections/hubspot.yaml",
        "facts:\n",
        "links: {salesforce: {lead: salesforceleadid}}\nfacts:\n",
        "connections/hubspot.yaml:6:9",
        'there is no connection "salesforce"; connections here: hubspot',
    ),
    (
        "link to itself",
        "connections/hubspot.yaml",
        "facts:\n",
        "links: {hubspot: {contact: other_id}}\nfacts:\n",
        "connections/hubspot.yaml:6:9",
        "is this connection; a link leads to another one",
    ),
    # what leadmark reads of its own
    (
        "fact from our own property",
        "connections/hubspot.yaml",
        "  country: country\n",
        "  country: leadmark_tier\n",
        "connections/hubspot.yaml:11:12",
        "a field that leadmark writes",
    ),
    (
        "prefix without end",
        "connections/hubspot.yaml",
        "      outputs:",
        f"      prefix: {'a' * 95}\n      outputs:",
        "connections/hubspot.yaml:29:15",
        "longer than the 100 characters the CRM allows",
    ),
    (
        "sales' word of a company",
        "connections/hubspot.yaml",
        "hand_off: {contact: hs_lead_status,",
        "hand_off: {company: hs_lead_status,",
        "connections/hubspot.yaml:13:23",
        "hand_off is said of one person",
    ),
    # between the files
    (
        "unmapped fact",
        "models/b2b.yaml",
        "employees: {weight",
        "employes: {weight",
        "models/b2b.yaml:8:3",
        'did you mean "employees"? Map it under facts',
    ),
    (
        "unmapped fact in a condition",
        "models/b2b.yaml",
        "{country: {not_in",
        "{land: {not_in",
        "models/b2b.yaml:11:19",
        'no connection maps the fact "land"',
    ),
    (
        "unmapped fact needed",
        "models/b2b.yaml",
        "facts: [company]",
        "facts: [company, phone]",
        "models/b2b.yaml:32:59",
        'no connection maps the fact "phone"',
    ),
    (
        "derived from nothing",
        "connections/hubspot.yaml",
        "  email: email\n",
        "",
        "models/b2b.yaml:10:19",
        "derived from email, which no connection maps",
    ),
    (
        "sales' word in a condition",
        "models/b2b.yaml",
        "{country: {not_in",
        "{hand_off: {not_in",
        "models/b2b.yaml:11:19",
        "sales' word",
    ),
    (
        "fact of the canary",
        "connections/hubspot.yaml",
        "{owner: ops@seller.example}",
        "{ownr: ops@seller.example}",
        "connections/hubspot.yaml:25:17",
        'did you mean "owner"?',
    ),
    (
        "activity nobody delivers",
        "models/b2b.yaml",
        "activity: email_clicked",
        "activity: mail_clicked",
        "models/b2b.yaml:24:19",
        'did you mean "email_clicked"?',
    ),
    (
        "attribute not kept",
        "models/b2b.yaml",
        "where: {form: {contains",
        "where: {page: {contains",
        "models/b2b.yaml:17:48",
        '"form_submitted" keeps form; add it to keep',
    ),
    (
        "attribute of a limit",
        "models/b2b.yaml",
        "each mail",
        "each link",
        "models/b2b.yaml:27:16",
        'does not keep the attribute "link"',
    ),
    (
        "unknown list",
        "models/b2b.yaml",
        "in_list: targets",
        "in_list: target",
        "models/b2b.yaml:10:43",
        'did you mean "targets"?',
    ),
    (
        "unknown decay",
        "models/b2b.yaml",
        "decay: click",
        "decay: clicks",
        "models/b2b.yaml:26:16",
        "did you mean 'click'?",
    ),
    (
        "unknown primary model",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2c",
        "leadmark.yaml:3:10",
        'did you mean "b2b"?',
    ),
    (
        "model called otherwise",
        "models/b2b.yaml",
        "model: b2b",
        "model: b2c",
        "models/b2b.yaml:1:8",
        "call both the same",
    ),
    (
        "fields of no model",
        "connections/hubspot.yaml",
        "    b2b:\n",
        "    b2bb:\n",
        "connections/hubspot.yaml:28:5",
        'did you mean "b2b"?',
    ),
    (
        "unknown output",
        "connections/hubspot.yaml",
        "tier, mql_status",
        "teir, mql_status",
        "connections/hubspot.yaml:29:24",
        'did you mean "tier"?',
    ),
    (
        "output twice",
        "connections/hubspot.yaml",
        "tier, mql_status",
        "score, mql_status",
        "connections/hubspot.yaml:29:24",
        "stands twice",
    ),
    (
        "policy of no output",
        "connections/hubspot.yaml",
        "{score: raise_only}",
        "{grade: keep}",
        "connections/hubspot.yaml:30:16",
        "add it to outputs",
    ),
    (
        "raising a text",
        "connections/hubspot.yaml",
        "{score: raise_only}",
        "{summary: raise_only}",
        "connections/hubspot.yaml:30:25",
        "no number and no date: it has no higher",
    ),
    (
        "unknown policy",
        "connections/hubspot.yaml",
        "{score: raise_only}",
        "{score: rise_only}",
        "connections/hubspot.yaml:30:23",
        'did you mean "raise_only"?',
    ),
    (
        "canary without condition",
        "connections/hubspot.yaml",
        "  mode: shadow\n  canary: {if: {owner: ops@seller.example}, at_most: 20}\n",
        "  mode: canary\n",
        "connections/hubspot.yaml:24:9",
        "mode canary needs to know whom to write",
    ),
    (
        "word of sales",
        "connections/hubspot.yaml",
        "OPEN: accepted",
        "OPEN: acepted",
        "connections/hubspot.yaml:13:54",
        'did you mean "accepted"?',
    ),
    (
        "fact without property",
        "connections/hubspot.yaml",
        "title: {contact: jobtitle}",
        "title: {values: {a: b}}",
        "connections/hubspot.yaml:8:3",
        "names no property",
    ),
    (
        "owner's name",
        "connections/hubspot.yaml",
        "{owner: email}",
        "{owner: firstname}",
        "connections/hubspot.yaml:12:18",
        "{owner: email}",
    ),
    (
        "forms missing",
        "connections/hubspot.yaml",
        "    forms: [demo-request, 0123]\n",
        "",
        "connections/hubspot.yaml:15:3",
        'say which in "forms"',
    ),
    (
        "lists missing",
        "connections/hubspot.yaml",
        "lists: [101], ",
        "",
        "connections/hubspot.yaml:20:3",
        'say which in "lists"',
    ),
    (
        "type missing",
        "connections/hubspot.yaml",
        "type: CLICK, ",
        "",
        "connections/hubspot.yaml:19:3",
        'say which in "type"',
    ),
    (
        "forms of a list",
        "connections/hubspot.yaml",
        "lists: [101],",
        "lists: [101], forms: [a],",
        "connections/hubspot.yaml:20:44",
        "goes with from: form_submissions",
    ),
    (
        "attribute the source lacks",
        "connections/hubspot.yaml",
        "keep: {mail: campaign}",
        "keep: {mail: mail}",
        "connections/hubspot.yaml:19:65",
        "email_events has campaign, type, link",
    ),
    (
        "values of what is true or false",
        "connections/hubspot.yaml",
        "  country: country",
        "  country: country\n  hold: {contact: on_hold, values: {Yes: held}}",
        "connections/hubspot.yaml:12:28",
        "hold is true or false, which a checkbox says without values",
    ),
    (
        "classes of what is not kept",
        "connections/hubspot.yaml",
        "keep: {mail: campaign}}",
        "keep: {mail: campaign}, classes: {mails: {news: news}}}",
        "connections/hubspot.yaml:19:86",
        'unknown attribute "mails", did you mean "mail"?',
    ),
    (
        "class nothing is left for",
        "connections/hubspot.yaml",
        "keep: {mail: campaign}}",
        'keep: {mail: campaign}, classes: {mail: {any: "*", news: news}}}',
        "connections/hubspot.yaml:19:103",
        '"any" takes every text (*), so no later class ever fits; put it last',
    ),
    (
        "condition the source lacks",
        "connections/hubspot.yaml",
        "where: {direction: INBOUND}",
        "where: {directon: INBOUND}",
        "connections/hubspot.yaml:21:40",
        'did you mean "direction"?',
    ),
    # inside the model
    (
        "weights",
        "models/b2b.yaml",
        "fit: 40, engagement: 60",
        "fit: 40, engagement: 50",
        "models/b2b.yaml:2:1",
        "add up to 90",
    ),
    ("weights of fit", "models/b2b.yaml", "weight: 60", "weight: 50", "models/b2b.yaml:6:1", "add up to 90"),
    (
        "operator",
        "models/b2b.yaml",
        "{contains: intern}",
        "{contain: intern}",
        "models/b2b.yaml:30:41",
        "did you mean 'contains'?",
    ),
    ("limit", "models/b2b.yaml", "1 per day each mail", "1 a day", "models/b2b.yaml:27:16", "write '3 per week'"),
    ("grade", "models/b2b.yaml", "B or better", "B+", "models/b2b.yaml:32:29", "write 'B or better'"),
    ("cap below a rule", "models/b2b.yaml", "cap: 60", "cap: 30", "models/b2b.yaml:17:81", "the group's cap is 30"),
    ("more than all", "models/b2b.yaml", "14d: 50%", "14d: 150%", "models/b2b.yaml:5:34", "no percent"),
    ("overlapping bands", "models/b2b.yaml", "50+: 100", "40+: 100", "models/b2b.yaml:8:52", "overlaps '1-49'"),
    (
        "out of reach",
        "models/b2b.yaml",
        "score: 50",
        "score: 100",
        "models/b2b.yaml:32:18",
        "score can reach 88 at most",
    ),
    (
        "two shapes",
        "models/b2b.yaml",
        "{half_life: 60d}",
        "{half_life: 60d, linear: 90d}",
        "models/b2b.yaml:4:3",
        "half_life and linear",
    ),
    (
        "id that no rule has",
        "models/b2b.yaml",
        "facts: [company]",
        "facts: [company], rules: {any: 1, of: [demo, klick]}",
        "models/b2b.yaml:32:87",
        "did you mean 'click'?",
    ),
    (
        "kind of a pattern",
        "models/b2b.yaml",
        "disqualify:",
        "patterns: {p: {all: [{at_least: 1, activity: form_submited}], points: 1, label: P}}\ndisqualify:",
        "models/b2b.yaml:29:46",
        'did you mean "form_submitted"?',
    ),
    (
        "attribute of a pattern",
        "models/b2b.yaml",
        "mql:",
        "patterns: {p: {all: [{at_least: 1, activity: form_submitted, where: {from: x}}], points: 1, label: P}}\nmql:",
        "models/b2b.yaml:31:70",
        'did you mean "form"?',
    ),
    (
        "what a pattern tells apart",
        "models/b2b.yaml",
        "disqualify:",
        "patterns: {p: {all: [{at_least: 1, rule: click, distinct: form}], points: 1, label: P}}\ndisqualify:",
        "models/b2b.yaml:29:59",
        'does not keep the attribute "form"',
    ),
    (
        "list of a pattern",
        "models/b2b.yaml",
        "mql:",
        "patterns: {p: {all: [{at_most: 0, rule: demo, where: {form: {in_list: trgets}}}], points: 1, label: P}}\nmql:",
        "models/b2b.yaml:31:71",
        'did you mean "targets"?',
    ),
    (
        "rule that is hidden",
        "models/b2b.yaml",
        "call: {activity: call_received, points: 20, label: Called us}",
        "call: {activity: form_submitted, where: {form: {contains: demo}}, points: 2, label: B}\n    match: first",
        "models/b2b.yaml:18:7",
        "comes first and takes all",
    ),
    (
        "id twice",
        "models/b2b.yaml",
        "      click:\n",
        "      demo:\n",
        "models/b2b.yaml:23:7",
        "already used in engagement.conversion",
    ),
    # what could never be meant
    (
        "half-life of no day",
        "models/b2b.yaml",
        "half_life: 60d",
        "half_life: 0d",
        "models/b2b.yaml:4:27",
        "a span is 1d to 3650d",
    ),
    (
        "rising decay",
        "models/b2b.yaml",
        "{7d: 100%, 14d: 50%}",
        "{7d: 50%, 14d: 100%}",
        "models/b2b.yaml:5:33",
        "steps must not rise with age: 7d gives 50%, 14d gives 100%",
    ),
    (
        "unmapped fact of the audience",
        "models/b2b.yaml",
        "model: b2b\n",
        "model: b2b\naudience: {land: NO}\n",
        "models/b2b.yaml:2:12",
        'no connection maps the fact "land"',
    ),
    (
        "contradictory adjustment",
        "models/b2b.yaml",
        "{country: {not_in: [NO, SE]}}",
        "{country: {is: NO, not_in: [NO, SE]}}",
        "models/b2b.yaml:11:37",
        "country cannot be `is: NO` and `not_in: NO, SE` at once, so this never holds; take one of them out",
    ),
    (
        "bounds that cross",
        "models/b2b.yaml",
        "{country: {not_in: [NO, SE]}}",
        "{employees: {at_least: 50, below: 10}}",
        "models/b2b.yaml:11:45",
        "employees cannot be `at_least: 50` and `below: 10` at once",
    ),
    (
        "number and text of one fact",
        "models/b2b.yaml",
        "{country: {not_in: [NO, SE]}}",
        "{employees: {at_least: 50, contains: many}}",
        "models/b2b.yaml:11:45",
        "employees cannot be `at_least: 50` and `contains: many` at once",
    ),
    (
        "disqualifier that nobody passes",
        "models/b2b.yaml",
        "{any: [{title: {contains: intern}}, {company: {missing: true}}]}",
        "{company: {missing: true, contains: Rival}}",
        "models/b2b.yaml:30:42",
        "company cannot be `missing: true` and `contains: Rival` at once",
    ),
    (
        "branch that never holds",
        "models/b2b.yaml",
        "{company: {missing: true}}",
        "{all: [{company: Rival}, {company: {missing: true}}]}",
        "models/b2b.yaml:30:88",
        "so this branch never holds; take it out",
    ),
    (
        "disqualifier of everybody",
        "models/b2b.yaml",
        "[{title: {contains: intern}}, {company",
        "[{company: {present: true}}, {company",
        "models/b2b.yaml:30:17",
        "this holds whatever company is, known or not",
    ),
    (
        "not of what never holds",
        "models/b2b.yaml",
        "{country: {not_in: [NO, SE]}}",
        "{not: {all: [{country: NO}, {country: SE}]}}",
        "models/b2b.yaml:11:19",
        "what stands under `not` never holds (country cannot be `is: NO` and `is: SE` at once), so `not` always does",
    ),
    (
        "choice of nothing",
        "models/b2b.yaml",
        "{country: {not_in: [NO, SE]}}",
        "{any: []}",
        "models/b2b.yaml:11:24",
        "`any` takes a list of conditions",
    ),
    (
        "no list named",
        "models/b2b.yaml",
        "in_list: targets",
        "in_list: []",
        "models/b2b.yaml:10:43",
        "[] is no text",
    ),
    (
        "contradictory attributes",
        "models/b2b.yaml",
        "{form: {contains: demo}}",
        "{form: {contains: demo, not_in: [demo]}, not: {form: {contains: em}}}",
        "models/b2b.yaml:17:101",
        "form cannot be `contains: demo` and not `contains: em` at once",
    ),
    (
        "contradictory attributes in a pattern",
        "models/b2b.yaml",
        "mql:",
        """patterns:
  p: {all: [{at_most: 0, rule: demo, where: {form: {is: a, missing: true}}}], points: 1, label: P}
mql:""",
        "models/b2b.yaml:32:60",
        "form cannot be `is: a` and `missing: true` at once",
    ),
    (
        "contradictory canary",
        "connections/hubspot.yaml",
        "{owner: ops@seller.example}",
        "{owner: {is: ops@seller.example, missing: true}}",
        "connections/hubspot.yaml:25:49",
        "owner cannot be `is: …` and `missing: true` at once",
    ),
    (
        "contradictory scope",
        "connections/hubspot.yaml",
        "facts:\n",
        "scope: {contact: {seen: {within: 9d, past: 9d}}}\nfacts:\n",
        "connections/hubspot.yaml:6:38",
        "seen cannot be `within: 9d` and `past: 9d` at once",
    ),
    (
        "instant rule that is none",
        "models/b2b.yaml",
        "mql:\n",
        "mql:\n  instant: {dem: {}}\n",
        "models/b2b.yaml:32:13",
        "there is no rule 'dem'; an instant rule is an engagement rule, did you mean 'demo'?",
    ),
    (
        "leaving above the minimum",
        "models/b2b.yaml",
        "mql:\n",
        "mql:\n  leave_below: {score: 55}\n",
        "models/b2b.yaml:32:24",
        "55 is above the minimum 50: who qualifies would leave at once",
    ),
    (
        "leaving without a minimum",
        "models/b2b.yaml",
        "mql:\n",
        "mql:\n  leave_below: {engagement: 10}\n",
        "models/b2b.yaml:32:29",
        "mql.needs has no minimum engagement, so nobody leaves by it",
    ),
    # own job titles
    (
        "unknown key of the titles",
        "titles.yaml",
        None,
        "senority:\n  - vp: [area lead]\n",
        "titles.yaml:1:1",
        'unknown key "senority", did you mean "seniority"?',
    ),
    (
        "titles that are no list",
        "titles.yaml",
        None,
        "seniority: {vp: [area lead]}\n",
        "titles.yaml:1:1",
        '"seniority" must be a list, such as [a, b], not a mapping',
    ),
    (
        "phrases that are no list",
        "titles.yaml",
        None,
        "seniority: [{vp: area lead}]\n",
        "titles.yaml:1:18",
        'must be a list, such as [a, b], not the text "area lead"',
    ),
    (
        "phrase without a word",
        "titles.yaml",
        None,
        "seniority:\n  - vp: [area lead, '-']\n",
        "titles.yaml:2:21",
        "this phrase has no word; write words of a title",
    ),
    (
        "phrase that another takes",
        "titles.yaml",
        None,
        "department:\n  - sales: ['*partner*']\n  - legal: [law firm, Partner at law]\n",
        "titles.yaml:3:23",
        '"*partner*" stands above it and takes every title with "Partner at law"',
    ),
    # segments
    (
        "fact of a segment",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {Large: {employes: {at_least: 1000}}}",
        "leadmark.yaml:4:20",
        'no connection maps the fact "employes", did you mean "employees"?',
    ),
    (
        "list of a segment",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {Named: {email_domain: {in_list: target}}}",
        "leadmark.yaml:4:44",
        'there is no list "target", did you mean "targets"?',
    ),
    (
        "operator of a segment",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {Large: {employees: {from: 1000}}}",
        "leadmark.yaml:4:38",
        "there is no operator 'from'",
    ),
    (
        "contradictory segment",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {Large: {employees: {at_least: 1000, below: 50}}}",
        "leadmark.yaml:4:48",
        "employees cannot be `at_least: 1000` and `below: 50` at once",
    ),
    (
        "segment that earlier ones empty",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {Large: {employees: {at_least: 50}}, Huge: {employees: {at_least: 1000}}}",
        "leadmark.yaml:4:48",
        "nobody is ever in this segment, as those above it take everybody it means",
    ),
    (
        "segment of the rest",
        "leadmark.yaml",
        "primary: b2b",
        "primary: b2b\nsegments: {others: {employees: {at_least: 50}}}",
        "leadmark.yaml:4:12",
        '"others" is everybody who is in no segment; choose another name',
    ),
    # what nobody can reach
    (
        "audience that is disqualified",
        "models/b2b.yaml",
        "model: b2b\n",
        "model: b2b\naudience: {title: {contains: [interns, internal]}}\n",
        "models/b2b.yaml:31:12",
        "whoever is in the audience is disqualified by this",
    ),
    (
        "rule that is hidden by another condition",
        "models/b2b.yaml",
        "call: {activity: call_received, points: 20, label: Called us}",
        "call: {activity: form_submitted, where: {form: my demo}, points: 2, label: B}\n    match: first",
        "models/b2b.yaml:18:7",
        '"demo" comes first and takes all that this rule matches',
    ),
    (
        "rule that is hidden by several",
        "models/b2b.yaml",
        "call: {activity: call_received, points: 20, label: Called us}",
        """other: {activity: form_submitted, where: {not: {form: {contains: demo}}}, points: 2, label: B}
      any: {activity: form_submitted, points: 1, label: C}
    match: first""",
        "models/b2b.yaml:19:7",
        "the rules above it take all that this rule matches",
    ),
    (
        "pattern whose lines contradict",
        "models/b2b.yaml",
        "mql:",
        """patterns:
  p:
    all: [{at_least: 3, rule: demo, within: 7d}, {at_most: 2, activity: form_submitted}]
    points: 1
    label: P
mql:""",
        "models/b2b.yaml:33:50",
        "line 2 of this pattern allows at most 2 of what line 1 wants at least 3 of, so it never holds",
    ),
    (
        "more rules than can be met",
        "models/b2b.yaml",
        None,
        edited(
            ("points: 3", "points: 0.2"),
            ("1 per day each mail", "2 per ever"),
            ("mql:\n", "levels: [60, 50, 25]\nmql:\n"),
            ("facts: [company]", "rules: {any: 2, of: [demo, click]}"),
        ),
        "models/b2b.yaml:33:55",
        "click never gives half a point, so 2 of 2 are never met",
    ),
    (
        "rules that exclude each other",
        "models/b2b.yaml",
        None,
        edited(
            ("{country: {not_in: [NO, SE]}}", "{email_domain: {missing: true}}"),
            ("facts: [company]", "rules: {any: 2, of: [target, abroad]}"),
        ),
        "models/b2b.yaml:32:55",
        "all of these are never met at once: email_domain cannot be `in_list: targets` and `missing: true` at once",
    ),
    (
        "instant rule out of reach",
        "models/b2b.yaml",
        None,
        edited(
            ("50+: 100", "50+: 90, other: 95"),
            ("points: 15", "points: 1"),
            ("mql:\n", "grades: {A: 100, B: 50, C: 25}\nmql:\n  instant: {demo: {grade: A or better}}\n"),
        ),
        "models/b2b.yaml:33:27",
        "grade A begins at 100 and fit reaches 99 at most, so nobody ever qualifies by this rule",
    ),
    (
        "surge that no score makes",
        "models/b2b.yaml",
        "mql:\n",
        "surge: {rise: 49, within: 7d}\nmql:\n",  # 60 % of 80
        "models/b2b.yaml:31:15",
        "no score rises by more than 48, so this is never a sharp rise",
    ),
]


# kind of doubt, what stood in the model, what was typed, where it shows, words of the message
DOUBTS = [
    (
        "recycled who qualifies",
        "facts: [company]}",
        "facts: [company]}\n  recycle: {keep_at_most: 17}",  # 40 of fit 100 and 10.2
        "33:27",
        "with fit 100 the 17 points kept qualify again at once",
    ),
    ("hole between bands", "50+: 100", "60+: 100", "8:47", 'values between "1-49" and "60+" are in no band and get'),
    (
        "surge over more than is kept",
        "mql:",
        "surge: {rise: 20, within: 761d}\nmql:",
        "31:27",
        "this span is longer than activities are kept (retention: activities: 760d)",
    ),
    (
        "instant rule for longer than is kept",
        "mql:",
        "mql:\n  instant: {demo: {lasts: 761d}}",
        "32:27",
        "this span is longer than activities are kept",
    ),
    (
        "silence after longer than is kept",
        "mql:",
        "silence: {after: 761d, take: 5, every: 7d, at_most: 30}\nmql:",
        "31:18",
        "this silence is longer than activities are kept",
    ),
    (
        "level that nobody has",
        "cap: 20",
        "cap: 10",
        "12:1",
        "engagement reaches 70 at most, so nobody ever has level 1",
    ),
    (
        "grade that nobody has",
        "percent: {c_level: 100, vp: 100}",
        "percent: {c_level: 10, vp: 10}",  # 6 and 40 and 15
        "6:1",
        "fit reaches 61 at most, so nobody ever has grade A",
    ),
    (
        "adjustment of nobody in the audience",
        "model: b2b\n",
        "model: b2b\naudience: {country: NO}\n",
        "12:14",
        "nobody in the audience is meant by this: country cannot be `is: NO` and `not_in: NO, SE` at once",
    ),
]


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(GOOD, tmp_path / "config"))


def mistype(folder: Path, file: str, stood: str | None, typed: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert stood is None or text.count(stood) == 1, "the row must change one place"
    path.write_text(typed if stood is None else text.replace(stood, typed), encoding="utf-8")


def test_the_good_folder_has_no_mistake():
    settings, problems = load(GOOD)
    assert not problems
    assert settings is not None


def test_there_are_forty_kinds_and_more():
    assert len({row[0] for row in MISTAKES}) == len(MISTAKES) > 40


@pytest.mark.parametrize(
    ("file", "stood", "typed", "place", "words"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_shown_where_it_stands_and_nothing_loads(folder, file, stood, typed, place, words):
    mistype(folder, file, stood, typed)
    settings, problems = load(folder)
    assert settings is None
    found = [problem for problem in problems if str(problem).startswith(f"{place}: ")]
    assert any(words in problem.message for problem in found), "\n".join(map(str, problems))


@pytest.mark.parametrize(("file", "stood", "typed"), [row[1:4] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_one_mistake_makes_one_problem_in_an_admins_words(folder, file, stood, typed):
    """Nothing that follows from a mistake is reported with it, and no word of the validation library shows."""
    mistype(folder, file, stood, typed)
    _, problems = load(folder)
    assert len(problems) == 1 or typed.startswith("? "), "\n".join(map(str, problems))
    for problem in problems:
        assert not any(
            foreign in problem.message
            for foreign in ("Input should", "pydantic", "dict", "tuple", "NoneType", "Value error")
        )


@pytest.mark.parametrize(
    ("stood", "typed", "place", "words"), [row[1:] for row in DOUBTS], ids=[row[0] for row in DOUBTS]
)
def test_what_works_but_hardly_as_meant_is_told_where_it_stands(folder, stood, typed, place, words):
    mistype(folder, "models/b2b.yaml", stood, typed)
    settings, (problem,) = load(folder)
    assert settings is not None
    assert str(problem).startswith(f"models/b2b.yaml:{place}: warning: {words}")


def test_clicks_of_which_the_day_alone_is_known_show_no_bot(folder):
    mistype(
        folder,
        "connections/hubspot.yaml",
        "{from: email_events, type: CLICK, keep: {mail: campaign}}",
        "{from: date_property, property: clicked_on, keep: {mail: property}}",
    )
    mistype(folder, "models/b2b.yaml", "mql:", "bots: {clicks_closer_than: 2s}\nmql:")
    settings, (problem,) = load(folder)
    assert settings is not None
    assert str(problem).startswith('models/b2b.yaml:31:1: warning: of "email_clicked" the CRM may tell the day alone')


def test_a_meaning_of_titles_that_looks_mistyped_is_told(folder):
    mistype(folder, "titles.yaml", None, "seniority: [{c_levl: [chieftain]}, {partner: [law partner]}]\n")
    settings, (problem,) = load(folder)
    assert settings is not None
    assert str(problem) == 'titles.yaml:1:14: warning: "c_levl" is a meaning of its own, did you mean "c_level"?'


def test_all_mistakes_of_all_files_are_reported_at_once_in_order(folder):
    chosen = ("unknown key", "missing section", "unknown zone", "operator", "no percent", "unmapped fact needed", "tab")
    rows = [row for row in MISTAKES if row[0] in chosen]
    for _, file, stood, typed, _, _ in rows:
        mistype(folder, file, stood, typed)
    (folder / "models" / "other.yaml").write_text("model: {", encoding="utf-8")
    settings, problems = load(folder)
    assert settings is None
    words = [row[5] for row in rows if row[0] != "unknown zone"]  # a file that is no YAML shows that alone
    assert all(any(each in problem.message for problem in problems) for each in words)
    assert any(problem.path == "models/other.yaml" for problem in problems)
    assert problems == sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column))


@pytest.mark.parametrize(
    ("stood", "typed"),
    [
        ("{service_key: env:HS_TOKEN}", "pat-na1-0000-secret"),
        ("{service_key: env:HS_TOKEN}", "{service_key:pat-na1-0000-secret}"),
        ("{service_key: env:HS_TOKEN}", "{servicekey: pat-na1-0000-secret}"),
        ("{service_key: env:HS_TOKEN}", "hush-secret"),
        ("{service_key: env:HS_TOKEN}", "[hush-secret]"),
        ("{service_key: env:HS_TOKEN}", "{service_key: [hush-secret]}"),
        ("env:HS_TOKEN", "*hush-secret"),
        ("env:HS_TOKEN", "@hush-secret"),
        ("env:HS_TOKEN", "!hush-secret x"),
        ("env:HS_TOKEN", "hush-secret"),
        ("env:HS_TOKEN", "file:hush-secret\n  x"),
        ("login: {service_key: env:HS_TOKEN}", "login:pat-na1-0000-secret"),
        ("login: {service_key: env:HS_TOKEN}", "pat-na1-0000-secret: {}"),
        ("http://127.0.0.1:8085", "https://user:hush-secret@api.example"),
        ("id: 4242", "id: pat-na1-0000-secret"),
    ],
)
def test_a_secret_typed_in_any_wrong_place_is_not_repeated(folder, stood, typed):
    mistype(folder, "connections/hubspot.yaml", stood, typed)
    settings, problems = load(folder)
    assert settings is None
    assert not any("secret" in str(problem).replace("a secret does not stand", "") for problem in problems), problems
