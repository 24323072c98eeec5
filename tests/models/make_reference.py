"""Writes the stored activations of tiny random checkpoints; needs torch and transformers.

usage: python -m tests.models.make_reference

Each file holds config.json as text, the tensors under "tensor:", a padded batch and the
log-probabilities that PyTorch gives for it.
"""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "reference"
FAMILIES = ("bert", "xlm-roberta", "distilbert")
LENGTHS = (7, 11, 3, 5)


def torch_model(family: str, seed: int = 0):
    """A tiny random *ForTokenClassification in evaluation mode, with weights far from zero."""
    import torch
    from transformers import AutoConfig, AutoModelForTokenClassification

    sizes: dict[str, float] = {"vocab_size": 60, "num_labels": 5, "pad_token_id": 1}
    if family == "distilbert":
        sizes |= {"dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 32}
    else:
        sizes |= {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
        sizes |= {"intermediate_size": 32, "layer_norm_eps": 1e-5}
    positions = 26 if family == "xlm-roberta" else 24
    config = AutoConfig.for_model(family, max_position_embeddings=positions, **sizes)
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


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for family in FAMILIES:
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
    main()
