"""Facts that follow from other facts: what the address and the job title say, a spam look, what is missing.

A mapped fact wins over a derived one of the same name. A derived fact that cannot be told is left out: unknown.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from scoring.fact_values import FactValue, fold, known
from scoring.tables import Tables

DERIVED = frozenset({"seniority", "department", "email_domain", "email_type", "looks_like_spam", "missing"})
NAMES = ("name", "first_name", "last_name", "company")  # the facts that a spam look is seen in

EmailType = Literal["business", "free", "disposable", "role", "malformed"]


def derive(facts: Mapping[str, FactValue], tables: Tables, named: Iterable[str]) -> dict[str, FactValue]:
    """The known facts with the derived ones added; ``missing`` names those of ``named`` that are unknown, sorted.

    >>> derive({"email": "jo@acme.example"}, Tables(), ["company", "title"])["missing"]
    'company, title'
    """
    email, title = _text(facts, "email"), _text(facts, "title")
    found: dict[str, FactValue | None] = {
        "seniority": tables.titles.seniority_of(title),
        "department": tables.titles.department_of(title),
        "email_domain": email_domain(email),
        "email_type": email_type(email, tables) if email else None,
        "looks_like_spam": any(looks_random(_text(facts, name)) for name in NAMES),
    }
    found.update((name, value) for name in facts if (value := known(facts, name)) is not None)
    whole = {name: value for name, value in found.items() if value is not None}
    missing = ", ".join(sorted(set(named) - whole.keys() - {"missing"}))
    return {"missing": missing, **whole} if missing else whole


def _text(facts: Mapping[str, FactValue], name: str) -> str:
    value = facts.get(name)
    return value.strip() if isinstance(value, str) else ""


def email_domain(email: str) -> str | None:
    """What stands after the @, folded; None when the address is malformed.

    >>> email_domain("Jo@Acme.Example")
    'acme.example'
    """
    match = re.fullmatch(r"[^\s@,;<>]+@((?:[^\s@.,;<>]+\.)+[^\s@.,;<>]{2,})", fold(email))
    return match[1] if match else None


def email_type(email: str, tables: Tables) -> EmailType:
    """The kind of an address: malformed, disposable, free, role or business; the first that fits, in this order.

    A domain also counts as free or disposable when a domain above it does (``x.mailinator.com``). What follows a plus
    in front of the @ is left out for role names (``info+fair@``).

    >>> email_type("info@acme.example", Tables(role_names=frozenset({"info"})))
    'role'
    """
    domain = email_domain(email)
    if domain is None:
        return "malformed"
    labels = domain.split(".")
    above = {".".join(labels[i:]) for i in range(len(labels))}
    if above & tables.disposable_domains:
        return "disposable"
    if above & tables.free_domains:
        return "free"
    return "role" if re.split(r"[+@]", fold(email))[0] in tables.role_names else "business"


def looks_random(text: str) -> bool:
    """Whether a name looks typed at random or is an advertisement: the signs of ``looks_like_spam``.

    One of these: a web address; one letter four times running; a word that begins with a row of the keyboard (asdf,
    qwer, yxcv, zxcv); a word of six or more Latin letters without a vowel (y is one). Other scripts show no sign.

    >>> looks_random("Xkcdfgh"), looks_random("Schwartz")
    (True, False)
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", fold(text)) if not unicodedata.combining(letter))
    if re.search(r"https?:|www\.|([a-z])\1{3}", plain):
        return True
    return any(
        re.match("asdf|qwer|yxcv|zxcv", word) or re.fullmatch(r"[b-df-hj-np-tv-xz]{6,}", word)
        for word in re.findall(r"[^\W\d_]+", plain)
    )
