"""Compare our encoders with PyTorch's: the largest difference in float32.

python -m benchmarks.parity [--encoder=DIR_OR_HUB]

Compares tiny random models of each family with stored activations from PyTorch (part of the tests)
and, with --encoder, the hidden states of a real model with transformers' (extra [torch]).
"""

import jax
import numpy as np

from launch import options
from launch.options import FLAGS

options.define("encoder")
SENTENCES = (
    "A short sentence .",
    "El tren de las ocho llegó con veinte minutos de retraso a la estación del norte .",
    "Junalla pääsee perille , mutta bussi on halvempi .",
)


def main() -> None:
    """Prints one line per model."""
    from tests.models.make_reference import FAMILIES

    for family in FAMILIES:
        print(f"{family} (tiny, random), log-probabilities: {stored_difference(family):.1e}")
    if FLAGS.encoder:
        print(f"{FLAGS.encoder}, hidden states: {live_difference(FLAGS.encoder):.1e}")


def stored_difference(family: str) -> float:
    """The largest difference from the stored log-probabilities of a tiny model."""
    from tests.models.reference_files import one_a_row, read_reference
    from zsl_jax.models.huggingface import params_from_tensors
    from zsl_jax.models.token_classifier import TokenClassifier

    reference = read_reference(family)
    params = params_from_tensors(reference.tensors, reference.config, family)
    tagger = TokenClassifier(reference.config, reference.log_probs.shape[-1])
    tokens, positions, segments = one_a_row(reference.token_ids, reference.mask)
    variables = {"params": params}
    log_probs = np.asarray(tagger.apply(variables, tokens, positions, segments, True))
    here = np.asarray(reference.mask, bool)
    return float(np.abs(log_probs - reference.log_probs)[here].max())


def live_difference(path: str) -> float:
    """The largest difference from PyTorch's hidden states of some sentences."""
    import torch
    import transformers

    from zsl_jax.models.encoder import Encoder
    from zsl_jax.workflows.loaded_tagger import load_tagger

    ours = load_tagger(path)
    theirs = transformers.AutoModel.from_pretrained(ours.path).eval()
    encoder = jax.jit(Encoder(ours.encoder).apply, static_argnums=4)
    largest = 0.0
    for sentence in SENTENCES:
        ids = np.array([ours.tokenizer(sentence.split(), is_split_into_words=True)["input_ids"]])
        places = np.arange(ids.shape[1])[None]
        params = {"params": ours.params["encoder"]}
        hidden = np.asarray(encoder(params, ids, places, np.ones_like(ids), True))
        with torch.no_grad():
            expected = theirs(torch.tensor(ids)).last_hidden_state.numpy()
        largest = max(largest, float(np.abs(hidden - expected).max()))
    return largest


if __name__ == "__main__":
    options.run(main)
