"""What a CRM's field definitions say of the maps."""

from dataclasses import replace

import pytest

from sync.definitions import read_otherwise
from sync.mapping import maps_of
from tests.desk_of_two import definitions_of
from tests.two_crms import settings_of

DEALS = {"outcomes": {"from": "deals", "won": "signed", "pipelines": ["Renewals"]}}


def map_(folder, crm="hubspot", **hubspot):
    """One connection's map."""
    return next(one for one in maps_of(settings_of(folder, hubspot=DEALS | hubspot)) if one.connection == crm)


def described(of, object_, **types):
    """Every field of the map, some fields of an object of the types given."""
    known = definitions_of(of)
    known[object_] |= {name: replace(known[object_][name], type=type_) for name, type_ in types.items()}
    return known


#: connection, object, the field of another type than before, what is read again, remark
ANEW = [
    ("hubspot", "contact", "jobtitle", "contact", "a person's"),
    ("hubspot", "company", "name", "company", "a company's"),
    ("salesforce", "account", "Name", "account", "an account's"),
    ("hubspot", "deal", "signed", "outcome", "what says a deal was won"),
    ("hubspot", "deal", "hs_is_closed", "outcome", "what says a deal is over"),
    ("hubspot", "deal", "closedate", "outcome", "when"),
    ("hubspot", "deal", "pipeline", "outcome", "whether the deal counts"),
]


@pytest.mark.parametrize(("crm", "object_", "field", "anew", "remark"), ANEW, ids=[case[4] for case in ANEW])
def test_what_is_kept_of_a_field_of_another_type_is_read_again(tmp_path, crm, object_, field, anew, remark):
    of = map_(tmp_path, crm)
    before, now = described(of, object_, **{field: "number"}), described(of, object_, **{field: "option"})
    assert read_otherwise(now, of, before) == {anew}, remark
    assert read_otherwise(now, of, now) == read_otherwise(now, of, {}) == frozenset()
