"""How points fade: the tables by age."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.decay import decay_table
from scoring.model import Decay


def table(points, **shape):
    return decay_table(Decimal(str(points)), Decay.model_validate(shape))


@pytest.mark.parametrize(
    ("points", "shape", "expected"),
    [
        (10, {"none": True}, (10_000_000,)),  # one column: never fades
        (10, {"none": True, "expires": "2d"}, (10_000_000,) * 3 + (0,)),  # age 2 still counts
        (8, {"linear": "4d"}, (8_000_000, 6_000_000, 4_000_000, 2_000_000, 0)),
        (-8, {"linear": "4d"}, (-8_000_000, -6_000_000, -4_000_000, -2_000_000, 0)),
        (1, {"linear": "3d"}, (1_000_000, 666_667, 333_333, 0)),
        (0.000001, {"linear": "2d"}, (1, 1, 0)),  # half a micro-point rounds away from zero
        (-0.000001, {"linear": "2d"}, (-1, -1, 0)),  # also below it
        (10, {"steps": {"1d": "100%", "3d": "50%"}}, (10_000_000, 10_000_000, 5_000_000, 5_000_000, 0)),
        (10, {"steps": {"3d": "50%", "1d": "100%"}}, (10_000_000, 10_000_000, 5_000_000, 5_000_000, 0)),  # any order
        (10, {"steps": {"3d": "50%"}, "expires": "1d"}, (5_000_000, 5_000_000, 0)),
        (0.000004, {"half_life": "1d"}, (4, 2, 1, 1, 0)),  # until it is zero
        (0, {"half_life": "1d"}, (0,)),
        (4, {"half_life": "1d", "expires": "1d"}, (4_000_000, 2_000_000, 0)),
        (0.000002, {"half_life": "1d", "expires": "5d"}, (2, 1, 1, 0, 0, 0, 0)),  # expires after it is zero
    ],
)
def test_a_decay_gives_micro_points_by_age(points, shape, expected):
    assert table(points, **shape) == expected


def test_without_a_decay_points_stay():
    assert decay_table(Decimal("2.5"), None) == (2_500_000,)


def test_a_half_life_halves_exactly_and_is_right_between():
    fading = table(1000, half_life="30d")
    assert fading[0::30][:4] == (1_000_000_000, 500_000_000, 250_000_000, 125_000_000)
    assert fading[1] == 977_159_968  # 1000 * 2 ** (-1 / 30) to the micro-point


def test_a_foreign_decimal_context_changes_nothing():
    before = table(37.5, half_life="11d"), table(37.5, linear="11d")
    with localcontext() as context:
        context.prec = 3
        assert (table(37.5, half_life="11d"), table(37.5, linear="11d")) == before


@given(
    st.integers(-1_000_000_000, 1_000_000_000),
    st.sampled_from(["half_life", "linear"]),
    st.integers(1, 400),
    st.none() | st.integers(1, 400),
)
def test_points_never_rise_in_size_nor_change_sign(micro, shape, days, expires):
    points = Decimal(micro) / 1_000_000
    limits = {} if expires is None else {"expires": f"{expires}d"}
    sizes = [abs(value) for value in decay_table(points, Decay.model_validate({shape: f"{days}d", **limits}))]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0
