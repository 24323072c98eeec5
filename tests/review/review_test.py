"""Tests of zsl_jax.review: which sentences are chosen, and what their corrections estimate."""

import json
import re

import numpy as np
import pytest

from benchmarks.annotators import correct
from benchmarks.synthetic_run import write_run
from launch import review as program
from zsl_jax.data.annotation.corrections import read_corrections
from zsl_jax.data.annotation.tasks import TOOLS, write_tasks
from zsl_jax.data.text.writers import write_conll
from zsl_jax.errors import InputError
from zsl_jax.evaluation.bootstrap import Resampling
from zsl_jax.io.run_folder import file_hashes
from zsl_jax.labels import SILENT
from zsl_jax.report.labelled_words import LabelledWords, read_labelled_words
from zsl_jax.report.run_record import read_run
from zsl_jax.review import (
    DOUBTS,
    Drawing,
    can_estimate,
    draw_review,
    estimate_scores,
    save_review,
)
from zsl_jax.review.choosing import Candidate, candidates, spread, word_doubt
from zsl_jax.review.sample import read_reviews
from zsl_jax.types import Sentence

NAMES = ("NOUN", "VERB", "ADJ")
RESAMPLING = Resampling(num_resamples=2000, confidence=0.999)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run on 300 sentences with words of their own."""
    rng = np.random.default_rng(3)
    sentences = [[f"{n}.{place}" for place in range(rng.integers(2, 12))] for n in range(300)]
    return write_run(tmp_path_factory.mktemp("review") / "run", sentences, NAMES, ("en", "fr"))


@pytest.fixture
def record(folder):
    (folder / "reviews.jsonl").unlink(missing_ok=True)
    return read_run(folder)


def whole(record):
    """All words of the run: sentences, label ids by column, and probabilities."""
    blocks = list(read_labelled_words(record.folder, "Q"))
    sentences = [words for block in blocks for words in block.sentences]
    ids = np.concatenate([block.ids for block in blocks])
    return sentences, ids, np.concatenate([block.probs for block in blocks])


def block_of(probs, ids=None, columns=("Q",)):
    probs = np.array(probs)
    ids = probs.argmax(axis=1)[:, None] if ids is None else np.array(ids)
    return LabelledWords([tuple("abcdefg"[: len(probs)])], 0, columns, NAMES, ids, probs)


def test_sentences_without_words_are_not_to_correct(tmp_path):
    text = [["a", "b"], [], ["c"], ["d", "e"], []]
    record = read_run(write_run(tmp_path / "run", text, NAMES, ("en", "fr")))
    for share in (0, 1):
        drawn = draw_review(record, Drawing(9, "errors", share, 0))
        assert sorted(task.number for task in drawn.tasks) == [1, 3, 4]
        assert drawn.review.num_sentences == 3
    (block,) = read_labelled_words(record.folder, "Q")
    assert block.sums(np.ones(5)).tolist() == [2, 0, 1, 2, 0]


def test_a_text_may_end_with_a_row_group_of_empty_sentences(tmp_path):
    text = [["a"]] * 200 + [[]]
    record = read_run(write_run(tmp_path / "run", text, NAMES, ("en", "fr")))
    first, last = read_labelled_words(record.folder, "Q")
    assert (len(first.ids), last.sentences, last.ids.shape) == (200, [()], (0, first.ids.shape[1]))
    assert len(draw_review(record, Drawing(9, "random")).tasks) == 1


def test_each_kind_of_doubt_is_measured():
    probs = [[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]
    ids = [[0, 0, 1], [0, 2, 2]]
    block = block_of(probs, ids, ("Q", "source:en", "source:fr"))
    assert word_doubt(block, "errors") == pytest.approx([0.5, 0])
    assert word_doubt(block, "margin") == pytest.approx([0.8, 0])
    entropy = -sum(p * np.log(p) for p in probs[0])
    assert word_doubt(block, "entropy") == pytest.approx([entropy, 0])
    assert word_doubt(block, "disagreement") == pytest.approx([np.log(2), 0])


def test_the_silence_of_a_sparse_source_is_no_disagreement():
    probs = [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]
    block = block_of(probs, [[0, 0, 3], [0, 1, 3]], ("Q", "source:en", "source:list"))
    block = block._replace(label_names=(*NAMES, SILENT))
    assert word_doubt(block, "disagreement") == pytest.approx([0, 0])
    (found,) = candidates([block], "errors", 1, set())
    assert found.doubt[-2:].tolist() == [0.5, 0]


def test_doubt_is_spread_over_its_kinds_and_near_duplicates_are_passed_over():
    def candidate(number, words, *doubt):
        return Candidate(number, tuple(words.split()), np.array(doubt, float))

    found = [
        candidate(0, "a b c d e", 9, 0), candidate(1, "A b c d e", 9, 0),
        candidate(2, "f g", 4, 0), candidate(3, "h i", 0, 3), candidate(4, "j", 0, 0),
    ]  # fmt: skip
    assert [one.number for one in spread(found, 2)] == [0, 3]
    assert [one.number for one in spread(found, 5)] == [0, 3, 2]


def test_half_is_chosen_by_doubt_and_half_drawn_from_the_rest(record):
    drawn = draw_review(record, Drawing(40, "errors"))
    review, (sentences, ids, probs) = drawn.review, whole(record)
    assert (len(review.chosen), len(review.drawn), review.num_sentences) == (20, 20, 300)
    assert not {*review.chosen} & {*review.drawn}
    numbers = [task.number - 1 for task in drawn.tasks]
    assert numbers == sorted({*review.chosen, *review.drawn})
    first = drawn.tasks[0]
    assert first.words == sentences[first.number - 1]
    starts = np.cumsum([0, *map(len, sentences)])
    rows = slice(starts[numbers[0]], starts[numbers[0] + 1])
    assert first.labels == tuple(NAMES[label] for label in ids[rows, 0])
    doubt = np.add.reduceat(1 - probs.max(axis=1), starts[:-1])
    assert doubt[[*review.chosen]].mean() > 2 * doubt.mean()
    assert np.isin([*review.chosen], np.argsort(-doubt)[:120]).all()


def test_the_same_seed_draws_the_same_and_known_sentences_are_not_chosen_again(record, tmp_path):
    first = draw_review(record, Drawing(30, "margin", seed=1))
    assert draw_review(record, Drawing(30, "margin", seed=1)) == first
    assert draw_review(record, Drawing(30, "margin", seed=2)).review.drawn != first.review.drawn
    write_tasks(tmp_path / "a.jsonl", first.tasks, "prodigy", NAMES)
    known = read_corrections(str(tmp_path / "a.jsonl"))
    second = draw_review(record, Drawing(30, "margin", seed=1), known).review
    before = {*first.review.chosen, *first.review.drawn}
    assert {*second.known} == before and not before & {*second.chosen, *second.drawn}
    rows = [(Sentence(words), ("NOUN",) * len(words)) for words in whole(record)[0]]
    write_conll(tmp_path / "all.conll", rows)
    with pytest.raises(InputError, match=r"has all 300 sentences of .*nothing left to correct"):
        draw_review(record, Drawing(30, "margin"), read_corrections(str(tmp_path / "all.conll")))


def test_a_damaged_record_of_a_review_is_named(record):
    drawing = Drawing(20, "errors")
    save_review(record, drawing, draw_review(record, drawing).review)
    path = record.folder / "reviews.jsonl"
    line = path.read_text()
    for before, after in ((": 300", ': "x"'), (": 300", ": Infinity"), ("chosen", "x")):
        path.write_text(line + line.replace(before, after, 1))
        with pytest.raises(InputError, match=rf"^{path}, line 2 is not the record .*; delete this"):
            read_reviews(record.folder)


def test_random_draws_all_and_a_share_of_none_draws_none(record):
    assert draw_review(record, Drawing(10, "random")).review.chosen == ()
    assert draw_review(record, Drawing(10, "entropy", 0.0)).review.drawn == ()


def corrected(record, tmp_path, drawing, gold, tool="label_studio"):
    """Reviews a run, and returns the corrections that a tool exports."""
    drawn = draw_review(record, drawing)
    save_review(record, drawing, drawn.review)
    write_tasks(tmp_path / "tasks.json", drawn.tasks, tool, NAMES)
    correct(tmp_path / "tasks.json", tool, gold, tmp_path / "export.json")
    return str(tmp_path / "export.json")


def gold_of(record, column):
    """A gold in which one labelling is right."""
    sentences, ids, _ = whole(record)
    flat = iter(ids[:, column].tolist())
    rows = [Sentence(words, tuple(NAMES[next(flat)] for _ in words)) for words in sentences]
    return {" ".join(row.words): row for row in rows}


def test_scores_of_all_labellings_are_estimated_with_their_intervals(record, tmp_path):
    _, ids, _ = whole(record)
    tagger = ids.shape[1] - 1
    export = corrected(record, tmp_path, Drawing(80, "errors"), gold_of(record, tagger))
    found = estimate_scores(record, export, RESAMPLING)
    sizes = (found.num_corrected, found.num_random, found.num_reviewed, found.num_sentences)
    assert sizes == (80, 40, 80, 300)
    rows = {(row.name, row.labels_from): row.scores["accuracy"] for row in found.rows}
    keys = [("lvm", "Q"), ("en", "source"), ("fr", "source"), ("majority", "votes"), ("lvm", "P")]
    assert list(rows) == keys
    assert rows["lvm", "P"].value == 1 and 0.8 < rows["lvm", "P"].low < 1
    for column, key in enumerate(keys[:4]):
        truth = (ids[:, column] == ids[:, tagger]).mean()
        assert rows[key].value == pytest.approx(truth, abs=0.06)
        assert rows[key].low < truth < rows[key].high


@pytest.mark.parametrize("number", [300, 1000])
def test_a_text_that_is_corrected_as_a_whole_has_its_true_scores(record, tmp_path, number):
    _, ids, _ = whole(record)
    drawing = Drawing(number, "entropy")
    export = corrected(record, tmp_path, drawing, gold_of(record, 0), "argilla")
    found = estimate_scores(record, export, RESAMPLING)
    assert (found.num_random, found.num_reviewed) == (150, 300)
    rows = found.rows
    truth = [(ids[:, column] == ids[:, 0]).mean() for column in range(ids.shape[1])]
    for row, value in zip(rows, truth, strict=True):
        assert row.scores["accuracy"] == pytest.approx((value,) * 3)


def test_plain_labels_may_come_back_as_spans_but_not_in_another_spelling(record, tmp_path):
    path = tmp_path / "spans.conll"
    export = corrected(record, tmp_path, Drawing(80, "errors"), gold_of(record, 0), "conll")
    expected = estimate_scores(record, export, RESAMPLING)
    columns = (tmp_path / "export.json").read_text()
    path.write_text(re.sub(r"\t(\w+)$", r"\tB-\1", columns, flags=re.MULTILINE))
    assert estimate_scores(record, str(path), RESAMPLING) == expected
    path.write_text(columns.replace("NOUN", "noun"))
    with pytest.raises(InputError, match=r"'noun' is not a label of `run`=.*; write NOUN$"):
        estimate_scores(record, str(path), RESAMPLING)


def test_sentences_that_the_run_has_learned_are_no_sample(record, tmp_path):
    export = corrected(record, tmp_path, Drawing(20, "errors"), gold_of(record, 0))
    trained = record._replace(run={**record.run, "data": file_hashes([export])})
    with pytest.raises(InputError, match=r"was trained with .*export\.json, so that its scores"):
        estimate_scores(trained, export, RESAMPLING)


def test_sentences_of_no_review_or_too_few_are_refused(record, tmp_path):
    gold = gold_of(record, 0)
    export = corrected(record, tmp_path, Drawing(20, "errors"), gold)
    values = json.loads((tmp_path / "export.json").read_text())
    drawn = draw_review(record, Drawing(20, "errors")).review
    (tmp_path / "few.json").write_text(
        json.dumps([v for v in values if v["data"]["sentence_id"] - 1 in drawn.drawn])
    )
    with pytest.raises(InputError, match="only 0 of 10 sentences of a part of the review are corr"):
        estimate_scores(record, str(tmp_path / "few.json"), RESAMPLING)
    (record.folder / "reviews.jsonl").unlink()
    with pytest.raises(InputError, match=r"has no sentence of a review of `run`=.*jsonl in it"):
        estimate_scores(record, export, RESAMPLING)


@pytest.mark.parametrize("drawing", [Drawing(20, "errors", 0.0), Drawing(2, "errors")])
def test_without_two_random_sentences_there_is_no_estimate(record, tmp_path, drawing):
    assert not can_estimate(draw_review(record, drawing).review)
    export = corrected(record, tmp_path, drawing, gold_of(record, 0))
    with pytest.raises(
        InputError, match=r"only \d sent.*at random, and at least 2 .*`random_share"
    ):
        estimate_scores(record, export, RESAMPLING)


def test_a_whole_text_needs_no_random_sentences(record, tmp_path):
    export = corrected(record, tmp_path, Drawing(300, "errors", 0.0), gold_of(record, 0))
    assert estimate_scores(record, export, RESAMPLING).rows[0].scores["accuracy"] == (1, 1, 1)


def test_corrections_belong_to_the_review_that_they_fit_best(record, tmp_path, caplog):
    gold = gold_of(record, 0)
    first = corrected(record, tmp_path, Drawing(20, "errors"), gold)
    expected = estimate_scores(record, first, RESAMPLING)
    for number, seed in ((200, 1), (4, 2)):  # only looked at
        drawing = Drawing(number, "random", seed=seed)
        save_review(record, drawing, draw_review(record, drawing).review)
    assert estimate_scores(record, first, RESAMPLING) == expected
    values = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "part.json").write_text(json.dumps(values[:-2]))
    found = estimate_scores(record, str(tmp_path / "part.json"), RESAMPLING)
    assert (found.num_corrected, found.num_reviewed) == (18, 20)
    assert "left out" not in caplog.text


def test_corrections_outside_the_review_or_the_text_are_named(record, tmp_path, caplog):
    gold = gold_of(record, 0)
    export = corrected(record, tmp_path, Drawing(20, "errors"), gold, "conll")
    before = estimate_scores(record, export, RESAMPLING)
    asked = {*read_reviews(record.folder)[0].chosen, *read_reviews(record.folder)[0].drawn}
    other = next(words for number, words in enumerate(whole(record)[0]) if number not in asked)
    columns = (tmp_path / "export.json").read_text().rstrip("\n")
    more = "".join(f"\n{word}\tNOUN" for word in other) + "\n\nedited\tNOUN\n"
    (tmp_path / "more.conll").write_text(f"{columns}\n{more}")
    found = estimate_scores(record, str(tmp_path / "more.conll"), RESAMPLING)
    assert found == before
    assert "1 of 22 sentences are not in the text and are left out, such as" in caplog.text
    assert "more.conll: 1 of 21 corrected sentences are not in the review" in caplog.text
    (tmp_path / "open.conll").write_text(
        re.sub(r"\t\w+$", "\t_", columns + "\n", count=1, flags=re.M)
    )
    estimate_scores(record, str(tmp_path / "open.conll"), RESAMPLING)
    assert "1 of 20 sentences are left out since words in them have no label" in caplog.text


def test_the_program_offers_what_there_is():
    assert tuple(program.FLAGS["tool"].parser.enum_values) == TOOLS
    assert tuple(program.FLAGS["doubt"].parser.enum_values) == DOUBTS
    assert set(program.NEXT_STEPS) == set(TOOLS)
