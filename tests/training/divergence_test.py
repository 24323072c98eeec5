"""A diverged training does not write a model: the last update and the last J are checked, too."""

import numpy as np
import pytest

from tests.programs import program
from zsl_jax.errors import InputError
from zsl_jax.training.divergence import check_objective
from zsl_jax.training.records import Expectation, RoundRecord

NAN = float("nan")


@pytest.mark.parametrize(
    ("objective", "confusion", "said"),
    [
        (NAN, 0.0, "J of round 2 is nan, since probabilities of the tagger"),
        (
            float("inf"),
            0.0,
            "J of round 2 is inf, .*; lower `learning_rate` or `head_learning_rate`;",
        ),
        (NAN, NAN, "J of round 2 is nan, since .* matrix are not numbers; lower `confusion_learn"),
    ],
)
def test_a_non_finite_j_is_an_error_that_names_the_cause(objective, confusion, said):
    found = Expectation(np.ones((2, 2)), np.full((1, 2, 2), confusion), objective, 0.0, 0.0)
    with pytest.raises(InputError, match=f"the training diverged: {said}"):
        check_objective(RoundRecord(2, found, np.zeros(1), 0.1))
    check_objective(RoundRecord(2, found._replace(objective=-1.0), np.zeros(1), 0.1))


@pytest.mark.parametrize("approach", [None, "kd", "lvm"])
def test_a_last_update_that_diverges_writes_no_model(world, tmp_path, approach):
    arguments = [f"--train={world.train}"]
    if approach is not None:
        sources = [f"--source={name}={world.text}" for name in ("a", "b")]
        arguments = [f"--text={world.text}", *sources, f"--approach={approach}", "--rounds=1"]
    done = program(
        "train" if approach is None else "transfer", f"--encoder={world.encoder}", *arguments,
        f"--output={tmp_path}", "--learning_rate=1e30", "--epochs=1", "--batch_words=100000",
        "--warmup=0", "--decay=constant", "--row_length=32", status=2,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said.startswith("error: the training diverged: ") and "--learning_rate" in said
    assert {path.name for path in tmp_path.iterdir()} <= {
        "run.json", "metrics.jsonl", "checkpoints", "sources", ".lock",
    }  # fmt: skip
