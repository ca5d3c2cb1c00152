"""Conditions, facts, values and spans in words, for people who never saw a model.

A ``not`` is carried into what stands below it, which two-valued logic allows: none of several is each of them not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from scoring.conditions import Condition
from scoring.dates import day_in_words
from scoring.fact_values import FactValue, fold
from scoring.missing import FACT_WORDS
from scoring.model import ScoringModel
from scoring.phrases import listed, lower_start

Named = Callable[[str], str]  # the name of a fact or attribute in words

#: facts that FACT_WORDS asks for in other words, or not at all
_FACTS: Mapping[str, str] = {
    "bounced": "a bounce of the e-mail address",
    "email_domain": "the domain of the e-mail address",
    "email_type": "the kind of e-mail address",
    "hand_off": "the word of sales",
    "missing": "the list of missing facts",
    "relationship": "the relationship with us",
    "seniority": "the seniority",
}
#: facts that are true or false, as what is true then and what is true else
_FLAGS: Mapping[str, tuple[str, str]] = {
    "do_not_profile": ("they do not want to be profiled", "they have nothing against being profiled"),
    "hold": ("somebody put them on hold", "nobody put them on hold"),
    "looks_like_spam": ("the name or company looks like spam", "neither name nor company looks like spam"),
    "opted_out": ("they opted out of e-mail", "they did not opt out of e-mail"),
}
#: values of facts of ours that would not speak for themselves
_VALUES: Mapping[tuple[str, str], str] = {
    ("email_type", "disposable"): "throw-away",
    ("email_type", "free"): "private",
    ("email_type", "role"): "shared",
    ("seniority", "c_level"): "C level",
    ("seniority", "vp"): "vice president",
}
_KINDS: Mapping[str, str] = {
    "call_logged": "a call with them is logged",
    "call_received": "they call us",
    "campaign_responded": "they respond to a campaign",
    "content_downloaded": "they download something",
    "email_answered": "they answer a mail",
    "email_clicked": "they click in a mail",
    "email_delivered": "a mail reaches them",
    "email_opened": "they open a mail",
    "email_sent": "a mail is sent to them",
    "form_submitted": "they send in a form",
    "list_joined": "they join a list",
    "meeting_held": "they meet us",
    "page_viewed": "they look at a page",
    "page_visited": "they visit a page",
    "trial_started": "they start a trial",
    "webinar_attended": "they attend a webinar",
    "webinar_registered": "they sign up for a webinar",
}
_TEXT_TESTS: Mapping[str, tuple[str, str, str]] = {
    "contains": ("contains", "does not contain", "contains none of"),
    "starts_with": ("starts with", "does not start with", "starts with none of"),
    "ends_with": ("ends with", "does not end with", "ends with none of"),
    "in_list": ("is on the list", "is not on the list", "is on none of the lists"),
    "matches": ("fits the pattern", "does not fit the pattern", "fits none of the patterns"),
}


def in_words(condition: Condition, named: Named, *, after: str = "") -> str:
    """The condition as a sentence without its end; ``named`` gives the name of a fact or attribute in words.

    ``after`` is what the sentence begins with, which must hold too.

    >>> from scoring.conditions import parse_where
    >>> in_words(parse_where({"form": {"contains": "demo"}, "not": {"type": ["Fair", "Talk"]}}), attribute_name)
    'the form contains “demo”, and the type is neither Fair nor Talk'
    """
    words = _words(condition, named, holds=True, inside="and" if after else "")
    return f"{after}, and {words}" if after else words


def _words(condition: Condition, named: Named, *, holds: bool, inside: str) -> str:
    """The condition, or its contrary; in brackets inside parts that are joined by another word."""
    if condition.op == "not":
        return _words(condition.parts[0], named, holds=not holds, inside=inside)
    if condition.op not in ("all", "any"):
        return _test(condition, named, holds=holds)
    joint = "and" if (condition.op == "all") == holds else "or"
    parts = [_words(part, named, holds=holds, inside=joint) for part in condition.parts]
    text = f", {joint} ".join(parts)
    return f"({text})" if len(parts) > 1 and inside not in ("", joint) else text


def _test(test: Condition, named: Named, *, holds: bool) -> str:
    if test.op == "not_in":
        return _is(test, named, holds=not holds)
    if test.op in ("is", "in"):
        return _is(test, named, holds=holds)
    if test.op in ("missing", "present"):
        known = ((test.op == "present") == test.operand[0]) == holds
        return f"{named(test.name)} is {'known' if known else 'unknown'}"
    return f"{named(test.name)} {_verb(test, holds=holds)}"


def _is(test: Condition, named: Named, *, holds: bool) -> str:
    wanted = test.operand[0]
    if test.name in _FLAGS and isinstance(wanted, bool) and len(test.operand) == 1:
        told = _FLAGS[test.name][0 if wanted == holds else 1]
        return told if holds else f"{told}, as far as is known"
    values = [value_in_words(value, test.name) for value in test.operand]
    if not all(re.fullmatch(r"[\w-]+|[\d.,]+", value) for value in values):
        values = quoted(values)
    if holds:
        verb = f"is {listed(values, 'or')}"
    else:
        several = f"neither {values[0]} nor {values[-1]}" if len(values) == 2 else f"none of {listed(values)}"
        verb = f"is not {values[0]}" if len(values) == 1 else f"is {several}"
    return f"{named(test.name)} {verb}"


def _verb(test: Condition, *, holds: bool) -> str:
    """What a test says of its name, from the verb on."""
    if test.op in _TEXT_TESTS:
        positive, negative, several = _TEXT_TESTS[test.op]
        said = plain if test.op == "in_list" else str if test.op == "matches" else _option
        texts = quoted([said(str(text)) for text in test.operand])
        if holds:
            return f"{positive} {listed(texts, 'or')}"
        return f"{negative} {texts[0]}" if len(texts) == 1 else f"{several} {listed(texts)}"
    verb = "is" if holds else "is not"
    if test.op in ("within", "past"):
        return f"{verb} {span_in_words(test.op, int(str(test.operand[0])))}"
    bounds = [value_in_words(value) for value in test.operand]
    return f"{verb} from {listed(bounds, 'to')}" if test.op == "between" else f"{verb} {plain(test.op)} {bounds[0]}"


def fact_name(name: str, label: str = "") -> str:
    """The name of a fact inside a sentence: the model's label, else our words for it, else its own name.

    >>> fact_name("employees"), fact_name("employees", "Company size"), fact_name("lead_source")
    ('the number of employees', 'the company size', 'the lead source')
    """
    if label:
        return f"the {lower_start(one_line(label))}"
    if name in _FLAGS:
        return f"whether {_FLAGS[name][0]}"
    return _FACTS.get(name) or f"the {re.sub('^(an?|the) ', '', FACT_WORDS.get(name) or plain(name))}"


def heading(name: str) -> str:
    """The name of a fact at the head of its value.

    >>> heading("employees"), heading("opted_out"), heading("lead_source")
    ('number of employees', 'opted out', 'lead source')
    """
    return plain(name) if name in _FLAGS else re.sub("^(an?|the) ", "", fact_name(name))


def facts_of(model: ScoringModel) -> Named:
    """How the model's people call a fact inside a sentence."""
    labels = {name: variable.label for name, variable in model.fit.variables.items()}
    return lambda name: fact_name(name, labels.get(name, ""))


def attribute_name(name: str) -> str:
    """The name of a touchpoint's attribute inside a sentence.

    >>> attribute_name("form_name")
    'the form name'
    """
    return f"the {plain(name)}"


def activity_in_words(kind: str) -> str:
    """What happens when an activity of this kind is recorded.

    >>> activity_in_words("email_clicked"), activity_in_words("badge_scanned")
    ('they click in a mail', '“badge scanned” is recorded')
    """
    return _KINDS.get(kind) or f"“{plain(kind)}” is recorded"


def value_in_words(value: FactValue, name: str = "", day: date = date.min) -> str:
    """The value of a fact of this name; a date without its year where that is the year of ``day``.

    >>> value_in_words("c_level", "seniority"), value_in_words("COMPUTER_SOFTWARE"), value_in_words(20000.0)
    ('C level', 'Computer software', '20,000')
    >>> value_in_words("my_site.example")
    'my_site.example'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return day_in_words(value, day)
    if isinstance(value, int | float):
        return f"{value:,.0f}" if value >= 10_000 and value == int(value) else f"{value:.15g}"
    text = one_line(str(value))
    if re.search(r"[.:/@]", text):  # an address: its underscores are its own
        return text
    return _VALUES.get((name, fold(text))) or plain(_option(text))


def _option(text: str) -> str:
    """The inner name of a CRM's option as a word; any other text as it is."""
    return plain(text).capitalize() if re.fullmatch("[A-Z][A-Z0-9_]{4,}", text) else text


def date_in_words(on: date) -> str:
    """The date with its year.

    >>> date_in_words(date(2026, 11, 3))
    '3 Nov 2026'
    """
    return day_in_words(on, date.min)


def span_in_words(op: str, days: int) -> str:
    """The days of ``within`` or ``past``.

    >>> span_in_words("within", 90), span_in_words("past", 1)
    ('within the next 90 days', 'within the last day')
    """
    return f"within the {'next' if op == 'within' else 'last'} {'day' if days == 1 else f'{days} days'}"


def days_in_words(days: int) -> str:
    """A number of days.

    >>> days_in_words(1), days_in_words(30)
    ('1 day', '30 days')
    """
    return "1 day" if days == 1 else f"{days} days"


def plain(name: str) -> str:
    """A name without underscores, on one line.

    >>> plain("target_accounts")
    'target accounts'
    """
    return one_line(name.replace("_", " "))


def one_line(text: str) -> str:
    r"""The text with every white space as one blank.

    >>> one_line("Asked\n for a demo ")
    'Asked for a demo'
    """
    return " ".join(text.split())


def quoted(texts: Sequence[str]) -> list[str]:
    """Each text in quotes.

    >>> quoted(["demo"])
    ['“demo”']
    """
    return [f"“{one_line(text)}”" for text in texts]
