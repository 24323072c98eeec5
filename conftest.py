"""Doctests print arrays with two digits."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def two_digits(request):
    """Examples in docstrings show numbers as a reader wants to see them."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    with np.printoptions(precision=2, suppress=True):
        yield
