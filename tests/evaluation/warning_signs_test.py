from zsl_jax.evaluation.warning_signs import one_label_warning


def test_one_label_for_every_word_is_warned_of_only_where_gold_has_others():
    gold = [("O", "B-PER"), ("O",)]
    assert "the label O, where gold has 2 labels" in one_label_warning(gold, [("O", "O"), ("O",)])
    assert one_label_warning(gold, gold) == ""
    assert one_label_warning([("O",)], [("O",)]) == ""
    assert one_label_warning([("O",)], [("B-PER",)]) != ""
