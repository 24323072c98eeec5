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


def test_the_verdict_judges_the_tagger_alone_beside_q():
    p, q = row("lvm", "P", 0.4206), row("lvm", "Q", 0.8206)
    assert verdict([*ROWS, p, q]) == (
        "lvm (Q, 82.06) beats every source and every aggregation of them; its tagger alone (P, "
        "42.06) does not beat en (source, 50.00), majority (votes, 70.00), mean (votes, 80.00): "
        "label by Q, which needs the sources' predictions (predict with them), or by the "
        "label model alone (aggregate)"
    )


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        (("P", 0.85, "Q", 0.9), "lvm (Q, 90.00; P, 85.00) beats every source and every"),
        (("P", 0.6, "Q", 0.65), "lvm (Q, 65.00; P, 60.00) does not beat majority (votes, 70.00)"),
        (("P viterbi", 0.85, "Q viterbi", 0.9), "lvm (Q viterbi, 90.00; P viterbi, 85.00) beats"),
        (("P", 0.9, "Q", 0.6), "mean (votes, 80.00); its tagger alone (P, 90.00) beats every"),
        (
            ("P", 0.4, "Q", 0.75),
            "mean (votes, 80.00); its tagger alone (P, 40.00) does not beat en",
        ),
    ],
)
def test_the_verdict_is_short_where_p_and_q_beat_the_same(trained, expected):
    first, p, second, q = trained
    said = verdict([*ROWS, row("lvm", first, p), row("lvm", second, q)])
    assert expected in said
    assert ("label by Q" in said) == (p == 0.4)


def test_the_verdict_does_not_take_p_of_another_training_for_that_of_the_last_row():
    rows = [*ROWS, row("kd", "P", 0.4), row("lvm", "Q", 0.9)]
    assert verdict(rows).startswith("lvm (Q, 90.00) beats") and "(P" not in verdict(rows)
    assert verdict([*rows, row("kd", "P", 0.95)]).startswith("kd (P, 95.00) beats")
    assert "compared with nothing" in verdict([row("lvm", "P", 0.4), row("lvm", "Q", 0.9)])
