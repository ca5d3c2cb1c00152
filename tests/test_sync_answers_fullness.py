"""How full the facts are: a sample of the store, spread evenly, derived facts among them."""

import pytest

from sync.answers.fullness import sampled_facts, shares_of
from tests.two_crms import both, record


@pytest.fixture
def world(tmp_path):
    found = both(tmp_path)
    yield found
    found.store.close()


def people(world, count, **values):
    world.hub(*(record("contact", str(100 + number), **values) for number in range(count)))
    world.identify()


def test_a_store_without_people_says_nothing(world):
    with world.store.begin() as tx:
        assert shares_of(sampled_facts(tx, world.settings)) == {}


def test_a_share_is_of_those_of_whom_the_fact_is_known(world):
    """Derived facts count; whoever is gone or must not be profiled does not."""
    world.hub(
        record("contact", "1", email="jo@acme.example", country="NO"),
        record("contact", "2", country=" "),
        record("contact", "3"),
        record("contact", "4", country="SE"),
        record("contact", "9", country="FI"),
    )
    world.org(
        record("individual", "I1", HasOptedOutProfiling=True),
        record("lead", "Q1", Country="DK", parents={"individual": "I1"}),
    )
    world.hub(deletions=[("contact", "9")])
    world.identify()
    with world.store.begin() as tx:
        shares = shares_of(sampled_facts(tx, world.settings))
    assert shares["country"] == 0.5
    assert (shares["email_type"], shares["email"]) == (0.25, 0.25)
    assert "title" not in shares


def test_a_sample_is_spread_evenly_and_never_larger_than_asked(world):
    people(world, 20, country="NO")
    with world.store.begin() as tx:
        looked_at = [len(sampled_facts(tx, world.settings, at_most)) for at_most in (50, 20, 10, 7, 1)]
    assert looked_at == [20, 20, 10, 6, 1]
