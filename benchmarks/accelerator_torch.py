"""PyTorch's training and prediction on random weights, for `benchmarks.accelerator`.

Its best form: SDPA attention, bfloat16 autocast on a GPU, fused AdamW, batches of sentences of
similar length with about as many words as ours, padded to a multiple of 8, with and without
torch.compile of its layers. All batches are run once before any is timed: what differs by length is
compiled then.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, BertConfig, XLMRobertaConfig

from benchmarks import random_text
from benchmarks.measuring import Speed, speed_of, useful_flops
from benchmarks.torch_tagger import padded_batches, words_of
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.setup import with_dropout
from zsl_jax.workflows.size_defaults import batch_words_for

CONFIGS = {"bert": BertConfig, "roberta": XLMRobertaConfig}


def measure(
    shape: str, num_sentences: int, config: TrainConfig, seconds: float, compiled: bool
) -> Iterator[Speed]:
    """Yields the speeds of an update and of a prediction.

    Args:
      shape: A key of `random_text.SHAPES`.
      num_sentences: Sentences of the text.
      config: Batch size, dropout and seed.
      seconds: Time for each.
      compiled: Whether to use torch.compile.
    """
    on_gpu = torch.cuda.is_available()
    encoder = with_dropout(config, random_text.SHAPES[shape])
    windows = random_text.random_windows(num_sentences, encoder.vocab_size, config.seed)
    labels = np.arange(windows.num_words) % random_text.NUM_LABELS
    words = batch_words_for(windows.num_words, config)
    size = max(1, words * num_sentences // windows.num_words)
    device = "cuda" if on_gpu else "cpu"
    batches = [
        {name: tensor.to(device) for name, tensor in batch.items()}
        for batch in padded_batches(windows, labels, size, True, config.seed, multiple=8)
    ]
    model = _model(encoder).to(device)
    if compiled:
        for layer in model.base_model.encoder.layer:
            layer.compile(dynamic=True)
    flops = useful_flops(encoder, windows.lengths) / windows.num_words
    training = _updates(model.train(), batches, on_gpu)
    name = "torch.compile" if compiled else "torch"

    def measured(speed: Speed) -> Speed:
        memory = torch.cuda.max_memory_allocated() if on_gpu else None
        return speed._replace(program=name, peak_memory=memory)

    yield measured(speed_of("M step", training, seconds, flops))
    prediction = _predictions(model, batches, on_gpu)
    model.eval()
    yield measured(speed_of("annotate, predict", prediction, seconds, flops / 3))


def _model(encoder: EncoderConfig) -> Any:
    sizes: dict[str, Any] = {
        "vocab_size": encoder.vocab_size,
        "hidden_size": encoder.hidden_size,
        "num_hidden_layers": encoder.num_layers,
        "num_attention_heads": encoder.num_heads,
        "intermediate_size": encoder.intermediate_size,
        "max_position_embeddings": encoder.max_positions + encoder.position_offset,
        "type_vocab_size": encoder.type_vocab_size,
        "hidden_dropout_prob": encoder.dropout,
        "attention_probs_dropout_prob": encoder.attention_dropout,
        "pad_token_id": 1,
        "num_labels": random_text.NUM_LABELS,
    }
    config = CONFIGS[encoder.family](**sizes)
    return AutoModelForTokenClassification.from_config(config, attn_implementation="sdpa")


def _autocast(on_gpu: bool) -> Any:
    return torch.autocast("cuda" if on_gpu else "cpu", torch.bfloat16, enabled=on_gpu)


def _updates(model: Any, batches: list[Any], on_gpu: bool) -> Callable[[], int]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def run() -> int:
        words = 0
        for batch in batches:
            with _autocast(on_gpu):
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad()
            words += words_of(batch)
        float(loss.detach())  # waits for the device
        return words

    return run


def _predictions(model: Any, batches: list[Any], on_gpu: bool) -> Callable[[], int]:
    def run() -> int:
        words = 0
        with torch.inference_mode(), _autocast(on_gpu):
            for batch in batches:
                inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
                probs = model(**inputs).logits.log_softmax(-1)
                words += words_of(batch)
        probs.float().cpu()
        return words

    return run
