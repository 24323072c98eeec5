from zsl_jax.data.shards import Shard
from zsl_jax.data.text_shard import shard_of_text
from zsl_jax.types import Sentence

FILES = [[Sentence((f"{file}{n}",)) for n in range(4)] for file in "ab"]
WHOLE = Shard((0, 1), 0, 1)


def test_a_sample_is_drawn_from_the_candidates_and_knows_their_places():
    for count, number in ((None, 5), (9, 5), (2, 2)):
        text = shard_of_text(FILES, WHOLE, 2, count, seed=1, candidates=[0, 2, 3, 5, 7])
        flat = [sentence for file in text.by_file for sentence in file]
        assert len(text.sampled) == number and {*text.sampled} <= {0, 2, 3, 5, 7}
        assert list(text.sentences) == [flat[place] for place in text.sampled]


def test_a_text_that_is_taken_whole_is_no_sample():
    text = shard_of_text(FILES, WHOLE, 2, 9)
    assert text.sampled is None and len(text.sentences) == 8
