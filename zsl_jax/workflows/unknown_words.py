"""A warning where a tokenizer does not know many words of a text: it may not be the model's."""

import numpy as np
from absl import logging

from zsl_jax.data.batches.subwords import Windows

SHARE = 0.1  # of the words
FEWEST_WORDS = 20


class UnknownWords:
    """Counts the unknown words of a text, block by block, and warns once if they are many."""

    def __init__(self, path: str, unknown_id: int | None):
        """Start to count.

        Args:
          path: The model folder, for the warning.
          unknown_id: The id of the unknown token; None if the tokenizer has none.
        """
        self._path, self._unknown_id = path, unknown_id
        self._unknown = self._words = 0
        self._has_warned = unknown_id is None

    def look_at(self, windows: Windows) -> None:
        """Count the words of a block whose first subword is the unknown token."""
        if self._has_warned:
            return
        first = windows.token_ids[windows.word_ids >= 0]
        self._unknown += int(np.sum(first == self._unknown_id))
        self._words += len(first)
        if self._words >= FEWEST_WORDS and self._unknown > SHARE * self._words:
            self._has_warned = True
            logging.warning(
                "%s: the tokenizer does not know %d of the first %d words (they become its unknown "
                "token, and the model cannot tell them apart); check that the tokenizer's files "
                "are those of the model, that they keep or drop capitals as the model does "
                "(do_lower_case in tokenizer_config.json), and that the model is one for this "
                "script", self._path, self._unknown, self._words,
            )  # fmt: skip
