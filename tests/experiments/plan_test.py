"""The cells of an experiment, and which of them a process does."""

import pytest

from launch.experiment_file import read_experiment
from tests.experiments.tiny_experiment import write_experiment
from zsl_jax.experiments.plan import cells_of, chosen_cells


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return list(cells_of(read_experiment(str(write_experiment(tmp_path_factory.mktemp("plan"))))))


def test_a_row_is_in_the_settings_that_have_as_many_sources(cells):
    names = [cell.name for cell in cells if cell.seed == 0]
    single = [f"single/cc/{row}/0" for row in ("direct", "kd", "mine", "supervised")]
    multi = [f"multi/cc/{row}/0" for row in ("kd", "mine", "majority", "supervised")]
    assert names == [*single, *multi]
    assert [cell.seed for cell in cells] == [0] * 8 + [1] * 8


def test_shares_are_disjoint_and_together_all(cells):
    shares = [chosen_cells(cells, share=(number, 3)) for number in (1, 2, 3)]
    assert sorted(cell for share in shares for cell in share) == sorted(cells)
    assert len(set().union(*shares)) == len(cells)
    assert shares[1] == cells[1::3]


def test_only_gives_the_order_within_each_seed(cells):
    chosen = chosen_cells(cells, ["multi/cc/kd", "single/cc/kd"])
    expected = ["multi/cc/kd/0", "single/cc/kd/0", "multi/cc/kd/1", "single/cc/kd/1"]
    assert [cell.name for cell in chosen] == expected
    assert chosen_cells(cells, ["multi/c"]) == []
    (one,) = chosen_cells(cells, ["/multi/cc/kd/1/"])
    assert one.name == "multi/cc/kd/1"
