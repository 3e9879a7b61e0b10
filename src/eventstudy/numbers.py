"""Rounding that makes outputs the same on every processor.

The last digits of ``exp``, ``log`` and matrix products differ between vector
instruction sets and BLAS kernels. What is published (plotted, written) is therefore
rounded to ten significant digits first; computations never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SIGNIFICANT_DIGITS = 10


def round_significant(values: ArrayLike, digits: int = SIGNIFICANT_DIGITS) -> NDArray[np.float64]:
    """Round to a number of significant decimal digits; NaN and infinities pass through.

    Parameters
    ----------
    values : array_like
        Numbers of any shape and unit.
    digits : int
        Significant digits to keep.

    Returns
    -------
    ndarray of float
        The rounded numbers, same shape; negative zero becomes zero.

    Examples
    --------
    >>> float(round_significant(0.123456789012345))
    0.123456789
    """
    x = np.asarray(values, dtype=np.float64)
    flat = [float(f"{v:.{digits - 1}e}") for v in x.ravel().tolist()]
    return np.asarray(flat, dtype=np.float64).reshape(x.shape) + 0.0
