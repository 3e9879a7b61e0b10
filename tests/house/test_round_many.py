"""Many numbers are rounded as each one's decimal text is."""

import numpy as np
import pytest

from eventstudy.wording import MANY, round_significant


@pytest.mark.parametrize("digits", [1, 3, 7, 10, 12, 16])
def test_many_numbers_are_rounded_as_their_texts(digits):
    draw = np.random.default_rng(digits)
    powers = 10.0 ** np.arange(-25, 26)
    values = np.concatenate(
        [
            draw.normal(size=20_000) * 10.0 ** draw.integers(-18, 18, 20_000),
            draw.integers(0, 10**11, 5_000) / 1e10 + 5e-11,
            draw.integers(-(10**6), 10**6, 5_000) / 1e3,
            powers,
            np.nextafter(powers, 0.0),
            np.nextafter(powers, np.inf),
            [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7e308, 9999999999.5, 0.99999999995],
        ]
    )
    each = np.array([float(f"{v:.{digits - 1}e}") + 0.0 for v in values.tolist()])
    assert len(values) > MANY
    assert (round_significant(values, digits).view(np.int64) == each.view(np.int64)).all()
    assert round_significant(values[:99].reshape(3, 33)).shape == (3, 33)
