"""Writes the stored activations of tiny random checkpoints; needs torch and transformers.

usage: python -m tests.models.make_reference [FAMILY ...]

Each file holds config.json as text, the tensors under "tensor:", a padded batch and the
log-probabilities that PyTorch gives for it.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "reference"
LENGTHS = (7, 11, 3, 5)
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}
# What each family's tiny config.json has besides the vocabulary and the labels.
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SIZES | {"layer_norm_eps": 1e-5},
    "xlm-roberta": SIZES | {"layer_norm_eps": 1e-5, "max_position_embeddings": 26},
    "distilbert": {
        "dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 32, "max_position_embeddings": 24,
    },
    "electra": SIZES | {"embedding_size": 12, "layer_norm_eps": 1e-5},
    "xlm-roberta-xl": SIZES | {"max_position_embeddings": 26},
    "deberta-v2": SIZES
    | {
        "relative_attention": True,
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "position_buckets": 6,
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "modernbert": SIZES
    | {
        "num_hidden_layers": 3,
        "global_attn_every_n_layers": 2,
        "local_attention": 6,
        "global_rope_theta": 1000.0,
        "local_rope_theta": 100.0,
    },
}  # fmt: skip


def torch_model(family: str, seed: int = 0):
    """A tiny random *ForTokenClassification in evaluation mode, with weights far from zero."""
    import torch
    from transformers import AutoConfig, AutoModelForTokenClassification

    config = AutoConfig.for_model(
        family, vocab_size=60, num_labels=5, pad_token_id=1, **FAMILIES[family]
    )
    torch.manual_seed(seed)
    model = AutoModelForTokenClassification.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (parameter.ndim == 1) * 0.5)
    return model


def padded_batch(lengths=LENGTHS, seed: int = 1):
    """Token ids [B, T], padded by 1, and the mask [B, T]."""
    rng = np.random.default_rng(seed)
    token_ids = np.ones((len(lengths), max(lengths)), np.int64)
    mask = np.zeros_like(token_ids)
    for row, length in enumerate(lengths):
        token_ids[row, :length] = rng.integers(4, 60, length)
        mask[row, :length] = 1
    return token_ids, mask


def torch_log_probs(model, token_ids, mask):
    """PyTorch's log-probabilities [B, T, K]."""
    import torch

    with torch.no_grad():
        logits = model(
            input_ids=torch.from_numpy(token_ids), attention_mask=torch.from_numpy(mask)
        ).logits
    return torch.log_softmax(logits, -1).numpy()


def main(families: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for family in families or FAMILIES:
        model = torch_model(family)
        token_ids, mask = padded_batch()
        np.savez_compressed(
            FOLDER / f"{family}.npz",
            config=np.array(json.dumps(model.config.to_dict(), default=str)),
            token_ids=token_ids,
            mask=mask,
            log_probs=torch_log_probs(model, token_ids, mask),
            **{f"tensor:{name}": value.numpy() for name, value in model.state_dict().items()},
        )


if __name__ == "__main__":
    main(sys.argv[1:])
