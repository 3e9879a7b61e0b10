"""Random relabellings are sets, and every set is equally likely."""

import math

import numpy as np
import pytest

from eventstudy.inference.single import random_subsets


@pytest.mark.parametrize(("size", "length"), [(6, 2), (6, 5)])
def test_random_subsets_are_sets_and_equally_likely(size, length):
    draws = 40_000
    chosen = np.sort(random_subsets(np.random.default_rng(7), draws, size, length), axis=1)
    assert (np.diff(chosen, axis=1) > 0).all()
    sets, counts = np.unique(chosen, axis=0, return_counts=True)
    expected = draws / len(sets)
    assert len(sets) == math.comb(size, length)
    # chi-squared of equal frequencies; 60 is beyond the 1e-6 quantile for 14 degrees of freedom
    assert ((counts - expected) ** 2 / expected).sum() < 60
