"""The moments of the United States are those known for them; simulated quarters are read in their units."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.worlds.economy.calibration.moments import (
    change,
    growth,
    moments,
    recorded,
    simulated,
    slope,
)

KNOWN = {  # 1959Q1 to 2009Q3
    "Okun": -0.844,
    "Okun slope": -0.384,
    "consumption sd": 0.79,
    "investment sd": 5.33,
    "investment and output": 0.82,
    "Phillips": 0.152,
    "Phillips, accelerationist": -0.536,
    "rate and inflation": 0.73,
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_data_have_the_moments_known_for_them(name: str) -> None:
    digits = len(str(KNOWN[name]).partition(".")[2])
    assert moments(recorded("1959Q1", "2009Q3"))[name] == pytest.approx(KNOWN[name], abs=0.51 * 10**-digits)


def test_okuns_line_meets_the_axis_where_it_should() -> None:
    us = recorded("1959Q1", "2009Q3")
    g, du = growth(us.gdp, 4), change(us.unemployment)
    assert du.mean() - slope(g, du) * g.mean() == pytest.approx(1.254, abs=0.0005)


def test_the_sixties_had_the_phillips_sign_that_the_whole_sample_has_not() -> None:
    assert moments(recorded("1959Q1", "1969Q4"))["Phillips"] == pytest.approx(-0.827, abs=0.0005)


def test_a_period_has_both_its_ends() -> None:
    assert len(recorded("1960Q1", "1969Q4").gdp) == 40


def test_simulated_quarters_are_read_as_shares_of_a_quarter() -> None:
    quarters = 40
    columns = {
        "gdp": [100.0 * 1.01**n for n in range(quarters)],
        "consumption": [60.0 + n % 3 for n in range(quarters)],
        "investment": [20.0] * quarters,
        "inflation": [0.005] * quarters,
        "rate": [0.01] * quarters,
        "unemployment": [0.05] * quarters,
    }
    found = moments(simulated(columns))
    assert found["growth"] == pytest.approx(400 * np.log(1.01))
    assert found["inflation"] == pytest.approx(400 * np.log(1.005))
    assert found["rate"] == pytest.approx((1.01**4 - 1) * 100)
    assert found["unemployment"] == pytest.approx(5.0)
    assert found["Okun"] == 0.0  # unemployment never moved
