import numpy as np

from tests.training.examples import packed_text
from zsl_jax.data.batches.hidden_batches import HiddenBatches
from zsl_jax.data.batches.packing import PackedBatches, SideBySide

TEXTS = [packed_text(9, seed=1), packed_text(5, seed=2)]


def side_by_side(texts) -> SideBySide:
    parts = [
        PackedBatches(text, 16, 2, np.random.default_rng(seed)) for seed, text in enumerate(texts)
    ]
    words = [text.num_words for text in texts]
    return SideBySide(parts, words, max(map(len, parts)) + 1, 3)


def test_every_place_has_the_hidden_state_of_its_subword():
    ids = np.concatenate([text.token_ids for text in TEXTS])
    states = np.stack([ids, -ids], axis=1).astype(np.float16)
    first = len(TEXTS[0].token_ids)
    numbered = [
        TEXTS[0]._replace(token_ids=np.arange(first, dtype=np.int32)),
        TEXTS[1]._replace(token_ids=np.arange(first, len(ids), dtype=np.int32)),
    ]
    plain, hidden = side_by_side(TEXTS), HiddenBatches(side_by_side(numbered), states)
    assert len(hidden) == len(plain)
    seen = 0
    for index in range(len(plain)):
        expected, found = plain[index], hidden[index]
        np.testing.assert_array_equal(found.segments, expected.segments)
        np.testing.assert_array_equal(found.word_ids, expected.word_ids)
        assert found.hidden.shape == (*expected.token_ids.shape, 2)
        assert found.hidden.dtype == np.float16 and np.isfinite(found.hidden).all()
        here = expected.segments > 0
        np.testing.assert_array_equal(found.hidden[here][:, 0], expected.token_ids[here])
        np.testing.assert_array_equal(found.hidden[here][:, 1], -expected.token_ids[here])
        seen += here.sum()
    assert seen == len(ids)
