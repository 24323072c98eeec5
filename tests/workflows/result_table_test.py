import pytest

from zsl_jax.workflows.result_table import Row, format_table, verdict


def row(name, labels_from, score):
    return Row(name, labels_from, {"score": score, "accuracy": score})


ROWS = [row("en", "source", 0.5), row("majority", "votes", 0.7), row("mean", "votes", 0.8)]


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        ([("P", 0.6), ("Q", 0.81)], "lvm (Q, 81.00) beats every source and every aggregation"),
        ([("P", 0.9), ("Q", 0.8)], "lvm (Q, 80.00) does not beat mean (votes, 80.00)"),
        ([("P", 0.6)], "lvm (P, 60.00) does not beat majority (votes, 70.00), mean (votes, 80.00)"),
        ([("Q viterbi", 0.1)], "does not beat en (source, 50.00), majority (votes, 70.00), mean"),
    ],
)
def test_the_verdict_names_what_is_not_beaten(trained, expected):
    rows = [*ROWS, *(row("lvm", kind, score) for kind, score in trained)]
    assert expected in verdict(rows)
    assert len(format_table(rows).splitlines()) == 2 + len(rows)
