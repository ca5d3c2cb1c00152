"""One person in two CRMs: what becomes of status, dates and timeline when records turn, join and part.

Nothing is ever written to a record that is dead in its CRM.
"""

import random
from datetime import timedelta

import pytest

from sync.identity import ambiguous
from sync.pull import Pulled, Reader
from sync.store import tables

OUTPUTS = ("score", "fit", "engagement", "grade", "tier", "mql_status", "mql_since", "first_mql_on", "mql_count")
#: a change of these is never held back
LOUD = ("grade", "tier", "mql_status", "mql_since", "first_mql_on")


def firm(both):
    """A company that fits, in HubSpot."""
    return both.company(name="Firm", industry="COMPUTER_SOFTWARE", numberofemployees="120")


def buyer(both, name="ann", **properties):
    """A contact in HubSpot who fits and has done nothing yet."""
    told = {"email": f"{name}@firm.example", "jobtitle": "VP Sales", "associatedcompanyid": firm(both), **properties}
    return both.add(**told)


def asks(both, contact):
    """The contact asks for a demo."""
    both.happen(kind="form_submission", form="demo-request", contact=contact)


FITS = {"Title": "VP Sales", "Company": "Firm", "Industry": "Technology", "NumberOfEmployees": 120}


def ours(both, id_):
    """Our fields of a record of either CRM, by output."""
    if id_.isdigit():
        held = both.contact(id_).items()
        return {name.removeprefix("leadmark_"): value for name, value in held if name.startswith("leadmark_")}
    return both.sf.ours(id_)


def alike(both, *ids):
    """What records of one person show; what the quiet rule may leave a little apart is the first one's."""
    shown = [{name: ours(both, id_).get(name) for name in OUTPUTS} for id_ in ids]
    for one in shown:
        assert {name: one[name] for name in LOUD} == {name: shown[0][name] for name in LOUD}, shown
        assert abs(int(one["score"]) - int(shown[0]["score"])) < 5, shown
    return shown[0]


def said(both, id_):
    """The same outputs as leadmark explains them now."""
    crm = "hubspot" if id_.isdigit() else "salesforce"
    names = {name: f"leadmark_{name}" if crm == "hubspot" else f"Leadmark_{name.title()}__c" for name in OUTPUTS}
    told = both.explained(crm)[id_]
    return {name: told.get(field) for name, field in names.items()}


def record(both, id_):
    """leadmark's row of a person's record."""
    (row,) = both.rows(tables.record, tables.record.c.crm_id == id_, tables.record.c.person.is_not(None))
    return row


def person(both, id_):
    """The number of the person a record is of."""
    return record(both, id_).person


def state(both, id_):
    """live, converted, merged or deleted."""
    return record(both, id_).state


def written_to(both, *ids):
    """Tells, at the end of the block, whether one of these records was written within it."""
    return _Written(both, ids)


class _Written:
    def __init__(self, both, ids):
        self.both, self.ids = both, set(ids)
        self.found: set[str] = set()

    def __enter__(self):
        self._crms = (self.both.writes(), self.both.sf.writes())
        self._seen = [crm.__enter__() for crm in self._crms]
        return self

    def __exit__(self, *error):
        for crm in self._crms:
            crm.__exit__(*error)
        self.all = [id_ for seen in self._seen for id_, _ in seen]
        self.found = self.ids & set(self.all)


def quiet(both):
    """Two further passes, and one that reads everything anew, find nothing to write."""
    with written_to(both) as done:
        both.reach()
        both.reach(minutes=70)
        both.sync(full=True)
        both.reach()
    assert done.all == []


# Conversion


@pytest.mark.parametrize("carried", [True, False], ids=["fields carried over", "new contact empty"])
def test_a_converted_lead_goes_on_as_its_contact_with_status_dates_and_timeline(both, carried):
    both.sf.settings(conversion_mapping=carried)
    lead = both.sf.lead(Email="ann@firm.example", **FITS)
    contact = buyer(both, salesforceleadid=lead)
    asks(both, contact)
    both.sf.responds(lead, "Expo", "Trade Show")
    both.sf.calls(lead)
    both.reach()
    was = alike(both, contact, lead)
    assert (was["mql_status"], was["mql_since"], was["mql_count"]) == ("MQL", "2026-11-20", "1")
    both.settle()
    both.advance(days=2)
    both.live_everywhere()

    before = said(both, contact)
    heir = both.sf.convert(lead)
    with written_to(both, lead) as done:
        both.reach()
        quiet(both)
    assert done.found == set()
    assert state(both, lead) == "converted"
    assert person(both, contact) == person(both, heir) == person(both, lead)
    alike(both, contact, heir)
    # who converts a lead has accepted it
    assert said(both, heir) == said(both, contact) == {**before, "mql_status": "Accepted"}
    (journey,) = both.rows(tables.journey)
    assert journey.status == "accepted"
    steps = [(row.from_status, row.to_status, row.cause) for row in both.rows(tables.transition)]
    assert steps[-1] == ("mql", "accepted", "sales")


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "by the lead's address alone"])
def test_a_lead_converted_into_a_contact_that_was_somebody_makes_one_person_of_three(both, linked):
    lead, known = both.sf.lead(Email="ann@firm.example", **FITS), both.sf.contact(Email="a.b@firm.example")
    contact = buyer(both, **({"salesforceleadid": lead} if linked else {}))
    asks(both, contact)
    both.sf.calls(known)
    both.reach()
    assert person(both, lead) == person(both, contact) != person(both, known)
    both.advance(days=1)
    both.live_everywhere()
    engaged = int(ours(both, contact)["engagement"])
    with written_to(both, lead) as done:
        both.sf.convert(lead, contact=known)
        both.reach()
    assert done.found == set()
    assert person(both, known) == person(both, contact)
    now = alike(both, contact, known)
    assert (now["mql_status"], now["mql_since"]) == ("Accepted", "2026-11-20")
    assert int(now["engagement"]) > engaged
    quiet(both)


# Merges


def test_two_merged_contacts_are_one_person_with_the_furthest_status_and_a_link_follows(both):
    ann, bo = both.sf.contact(Email="ann@firm.example", Title="VP Sales"), both.sf.contact(Email="bo@firm.example")
    linked = buyer(both, "ann", salesforcecontactid=ann)
    other = buyer(both, "bo", salesforcecontactid=bo)
    asks(both, linked)
    both.reach()
    since = alike(both, linked, ann)["mql_since"]
    both.advance(days=3)
    asks(both, other)
    both.live_everywhere()
    assert alike(both, other, bo)["mql_since"] > since
    numbers = {person(both, ann), person(both, bo)}

    both.advance(hours=1)
    both.sf.merge(bo, ann)
    with written_to(both, ann) as done:
        both.reach()
        quiet(both)
    assert done.found == set()
    assert {person(both, id_) for id_ in (ann, bo, linked, other)} == {min(numbers)}
    now = alike(both, linked, other, bo)
    # the furthest status with its earliest day; the last entry, the first, the larger count
    assert (now["mql_status"], now["first_mql_on"], now["mql_count"]) == ("MQL", since, "1")
    assert (state(both, ann), state(both, bo)) == ("merged", "live")


# Deletions


def test_a_deleted_contact_is_left_alone_and_finds_its_place_again_when_restored(both):
    contact = both.sf.contact(Email="ann@firm.example", Title="VP Sales")
    twin = buyer(both)
    asks(both, twin)
    both.sf.calls(contact)
    both.reach()
    was = alike(both, twin, contact)
    number = person(both, twin)
    assert was["mql_status"] == "MQL"
    both.sf.delete(contact)
    with written_to(both, contact) as done:
        both.reach()
        both.edit(twin, country="Chile")
        both.reach(days=1)
    assert done.found == set()
    assert state(both, contact) == "deleted"
    assert int(ours(both, twin)["engagement"]) < int(was["engagement"])  # the call went with the contact
    both.sf.undelete(contact)
    both.reach(minutes=11)
    assert (state(both, contact), person(both, contact)) == ("live", number)
    now = alike(both, twin, contact)
    assert {**now, **{name: was[name] for name in ("score", "engagement", "tier")}} == was
    assert int(now["engagement"]) >= int(was["engagement"]) - 2  # a day older
    quiet(both)


def test_what_is_deleted_between_plan_and_push_spoils_nothing(both):
    leads = [both.sf.lead(Email=f"p{n}@firm.example", **FITS) for n in range(3)]
    both.reach()
    for lead in leads:
        both.sf.edit(lead, Title="Student")
    both.advance(minutes=2)
    both.emulator.traffic.faults.append(_Before("/composite/sobjects", lambda: both.sf.org.delete("Lead", leads[1])))
    report = both.sync().connections["salesforce"]
    both.sf.kept.keep()
    assert (report.state, report.written, report.rejected) == ("ok", 2, 0)
    assert state(both, leads[1]) == "deleted"
    assert both.rows(tables.quarantine) == []
    with written_to(both, leads[1]) as done:
        both.reach()
    assert done.found == set()


class _Before:
    """Something that happens as a request arrives."""

    def __init__(self, path, then):
        self.path, self.then, self.do = path, then, {}

    def strikes(self, method, target):
        if self.path in target and self.then is not None:
            self.then()
            self.then = None
        return False


# Addresses


def test_an_address_filled_in_later_joins_two_persons_and_their_journeys(both):
    contact, lead = buyer(both), both.sf.lead(**FITS)
    asks(both, contact)
    both.sf.calls(lead)
    both.reach()
    assert person(both, contact) != person(both, lead)
    alone = int(ours(both, contact)["engagement"])
    both.advance(days=2)
    both.live_everywhere()
    both.sf.edit(lead, Email="ANN@Firm.example")
    both.reach()
    assert person(both, contact) == person(both, lead)
    now = alike(both, contact, lead)
    assert (now["mql_status"], now["mql_since"], now["first_mql_on"]) == ("MQL", "2026-11-20", "2026-11-20")
    assert int(now["engagement"]) > alone
    quiet(both)
    both.sf.edit(lead, Email=None)  # and they part again, each with a copy
    both.reach()
    assert person(both, contact) != person(both, lead)
    assert [ours(both, id_)["first_mql_on"] for id_ in (contact, lead)] == ["2026-11-20"] * 2


def test_an_address_that_becomes_ambiguous_is_reported_and_guesses_nobody(both):
    contact, lead = buyer(both), both.sf.lead(Email="ann@firm.example", **FITS)
    asks(both, contact)
    both.reach()
    assert person(both, contact) == person(both, lead)
    assert alike(both, contact, lead)["mql_status"] == "MQL"
    both.advance(days=1)
    other = both.sf.lead(Email="ann@firm.example", LastName="Other")
    both.reach()
    assert len({person(both, id_) for id_ in (contact, lead, other)}) == 3
    with both.runtime.store.begin() as tx:
        assert ambiguous(tx) == 1
    # each keeps a copy of the journey; nobody is an MQL by what another did
    assert [ours(both, id_).get("first_mql_on") for id_ in (contact, lead, other)] == ["2026-11-20"] * 2 + [None]
    assert ours(both, contact)["mql_status"] == "MQL"
    assert ours(both, lead)["engagement"] == "0"
    assert ours(both, other)["mql_status"] != "MQL"
    # a link says who it is, whatever others are called
    both.edit(contact, salesforceleadid=lead)
    both.reach()
    assert person(both, contact) == person(both, lead) != person(both, other)
    assert alike(both, contact, lead)["mql_since"] == "2026-11-20"


# Whatever the order


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_streams_of_both_and_any_repetition_of_pages_gives_the_same(both, seed):
    chance = random.Random(seed)
    leads = [both.sf.lead(Email=f"p{n}@firm.example", **FITS) for n in range(3)]
    known = [both.sf.contact(Email=f"c{n}@firm.example", Title="VP Sales") for n in range(4)]
    late = both.sf.lead(**FITS)
    contacts = [buyer(both, name) for name in ("p0", "p1", "c0", "c1", "late", "c3")]
    both.edit(contacts[1], salesforceleadid=leads[1])
    for contact in contacts:
        asks(both, contact)
        both.advance(hours=30)
    for id_ in (*leads, *known, late):
        both.sf.calls(id_)
        both.sf.responds(id_, "Expo", "Trade Show")
    connectors = {one.settings.name: one.connector for one in both.runtime.connections}
    streams = [(name, stream.name) for name, one in connectors.items() for stream in one.streams()]
    told = {key: list(connectors[key[0]].pull(key[1], None)) for key in streams}
    both.advance(minutes=5)
    heirs = [both.sf.convert(leads[0]), both.sf.convert(leads[1], contact=known[3])]
    both.sf.merge(known[0], known[1])
    both.sf.delete(known[2])
    both.sf.edit(late, Email="late@firm.example")
    twice = both.sf.lead(Email="p2@firm.example", **FITS)
    both.advance(hours=25)
    for key, pages in told.items():
        pages.extend(connectors[key[0]].pull(key[1], pages[-1].next_cursor))

    def scored(order):
        both.lose_store()
        readers = {
            one.settings.name: Reader(
                store=both.runtime.store,
                map=one.map,
                now=both.runtime.now,
                retention=timedelta(days=760),
                pulled=Pulled(),
            )
            for one in both.runtime.connections
        }
        for name, page in order:
            readers[name].apply(page)
        both.sync(push=False)
        return {crm: both.explained(crm) for crm in both.crms}

    left = {key: list(pages) for key, pages in told.items()}
    mixed = []
    while any(left.values()):
        again = mixed and chance.random() < 0.3
        name = chance.choice([key for key, pages in left.items() if pages])
        mixed.append(chance.choice(mixed) if again else (name[0], left[name].pop(0)))
    straight = scored((key[0], page) for key, pages in told.items() for page in pages)
    assert set(straight["salesforce"]) == {known[0], known[3], leads[2], late, twice, *heirs}
    assert set(straight["hubspot"]) == set(contacts)
    assert scored(mixed) == straight
    by_id = {row.crm_id: row.person for row in both.rows(tables.record) if row.person is not None}
    one_person = [(contacts[0], heirs[0]), (contacts[1], known[3], contacts[5]), (contacts[4], late)]
    assert [len({by_id[id_] for id_ in ids}) for ids in one_person] == [1, 1, 1]
    assert by_id[contacts[2]] == by_id[known[0]]


# Several records of one person in Salesforce


@pytest.mark.parametrize("duplicates", ["linked", "all"])
def test_of_several_records_those_linked_are_written_or_all(portals, duplicates):
    both = portals(crms=("hubspot", "salesforce"), salesforce={"duplicates": duplicates})
    contact_id, lead = both.sf.contact(Title="CEO"), both.sf.lead(Email="ann@firm.example", **FITS)
    contact = buyer(both, salesforcecontactid=contact_id)
    alone = both.sf.lead(Email="bo@firm.example", **FITS)
    both.reach()
    assert person(both, contact) == person(both, lead) == person(both, contact_id)
    alike(both, contact, contact_id)
    assert ours(both, alone)["grade"] == "A"
    assert bool(ours(both, lead)) == (duplicates == "all")
    if duplicates == "all":
        alike(both, contact, lead)
    # the one that is linked is another now: what we wrote before stays as it was, and is not written any more
    both.edit(contact, salesforcecontactid="", salesforceleadid=lead)
    both.edit(contact, jobtitle="Student")
    both.reach()
    assert ours(both, lead)["tier"] == "F"
    quiet(both)


# Facts


def test_a_fact_is_the_first_connections_unless_another_is_preferred_and_the_strictest_opt_out_holds(portals):
    both = portals(crms=("hubspot", "salesforce"))
    lead = both.sf.lead(Email="ann@firm.example", **{**FITS, "NumberOfEmployees": 3, "Title": "Manager"})
    contact = buyer(both)
    both.reach()
    hubspots = alike(both, contact, lead)["fit"]
    both.configure(installation={"prefer": {"employees": ["salesforce"], "title": ["salesforce", "hubspot"]}})
    both.reach()
    assert int(alike(both, contact, lead)["fit"]) < int(hubspots) - 20
    both.configure(installation={"prefer": None})
    both.reach()
    assert alike(both, contact, lead)["fit"] == hubspots

    both.sf.edit(lead, HasOptedOutOfEmail=True)
    both.edit(contact, hs_email_optout="false")
    both.reach()
    assert alike(both, contact, lead)["mql_status"] == "Disqualified"
    assert ours(both, contact)["disqualified_by"] == "Opted out of all e-mail"
    both.sf.edit(lead, HasOptedOutOfEmail=False)
    both.edit(contact, hs_email_optout="true")
    both.reach()
    assert alike(both, contact, lead)["mql_status"] == "Disqualified"


def test_who_is_not_to_be_profiled_loses_our_fields_in_both_and_gets_them_back(both):
    individual = both.sf.add("Individual", LastName="Lee", HasOptedOutProfiling=False)
    lead = both.sf.lead(Email="ann@firm.example", IndividualId=individual, **FITS)
    contact = buyer(both)
    asks(both, contact)
    both.sf.calls(lead)
    both.reach()
    was = alike(both, contact, lead)
    both.sf.edit(individual, HasOptedOutProfiling=True)
    both.reach()
    assert [ours(both, id_) for id_ in (contact, lead)] == [{}, {}]
    assert both.rows(tables.journey) == []
    assert both.rows(tables.timeline) == []
    asks(both, contact)
    quiet(both)
    assert both.rows(tables.timeline) == []
    both.sf.edit(individual, HasOptedOutProfiling=False)
    both.reach()
    both.sync(full=True)
    both.reach()
    assert int(alike(both, contact, lead)["fit"]) == int(was["fit"])
    assert alike(both, contact, lead)["mql_status"] == "MQL"
