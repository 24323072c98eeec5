import pytest

from launch.source_flags import parse_sources
from zsl_jax.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"], "NAME=PATH"),
        (["a=x", "a=y"], "twice"),
        (["a/b=x"], "plain word"),
        (["a=none.parquet"], "no file"),
        (["a=-"], "--source=a=-: - is not a regular file, but predictions are read twice; write"),
    ],
)
def test_sources_that_cannot_be_meant_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        parse_sources(values)
