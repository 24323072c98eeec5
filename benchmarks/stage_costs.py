"""Count the cost per word of each stage: subwords, FLOPs and bytes; nothing is timed.

python -m benchmarks.stage_costs --encoder=FOLDER [--source=NAME=FILE.parquet] [--target=ca]

Only the encoder's shapes and tokenizer are used; its weights are not read. XLA counts FLOPs and
bytes of the compiled update, of log P_θ and of an E-step block; it counts the body of a loop once,
so the count for L layers is extrapolated from those for zero and one. Texts are
DATA/pos/LANGUAGE/train.conllu, where DATA is the environment variable ZSL_DATA (../shared/data by
default). Prints JSON.
"""

import dataclasses
import json
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

from absl import flags

from benchmarks import real_texts
from launch import options
from launch.options import FLAGS

options.define("encoder", "source", "row_length", "max_sentences", "seed", "dtype")
flags.DEFINE_string("target", "ca", "Language whose subwords determine the trained embedding rows.")
flags.DEFINE_integer("rows", 8, "Rows per update.")
flags.DEFINE_integer("num_sources", 5, "Number of sources, U.")
flags.DEFINE_integer("num_labels", 17, "Number of labels, K.")


def main() -> None:
    """Measures texts and predictions, counts the compiled programs, writes one checkpoint."""
    from launch.source_flags import parse_sources
    from zsl_jax.io.json_file import read_json_object
    from zsl_jax.io.tokenizer import load_tokenizer
    from zsl_jax.models.encoder_config import EncoderConfig

    folder = Path(FLAGS.encoder)
    encoder = EncoderConfig.from_huggingface(
        read_json_object(folder / "config.json"), FLAGS.encoder
    )
    tokenizer = load_tokenizer(folder)
    files = sorted(real_texts.DATA.glob("pos/*/train.conllu"))
    texts = {path.parent.name: weigh_text(path, tokenizer) for path in files}
    rows = texts[FLAGS.target]["trained_rows"]
    for source in parse_sources(FLAGS.source):
        texts[f"source {source.name}"] = weigh_predictions(source.path)
    costs = count_stages(encoder, rows)
    print(json.dumps({"texts": texts, **costs, "checkpoint": weigh_checkpoint(encoder, rows)}))


def weigh_text(path: Path, tokenizer: Any) -> dict[str, Any]:
    """Bytes of a text on disk and in memory, its subwords, and the rows that they fill."""
    import numpy as np
    import pyarrow

    from zsl_jax.data.batches.packing import pack_rows
    from zsl_jax.data.batches.subwords import encode_words
    from zsl_jax.data.sampling import sample_sentences
    from zsl_jax.data.text.compact_text import CompactText
    from zsl_jax.data.text.readers import stream_sentences
    from zsl_jax.workflows.trainable_part import ROWS_MULTIPLE

    before = pyarrow.total_allocated_bytes()
    sentences = CompactText.of(stream_sentences(path, None, False))
    memory = pyarrow.total_allocated_bytes() - before
    num_words = sum(len(sentence.words) for sentence in sentences)
    text_bytes = sum(len(" ".join(sentence.words).encode()) + 1 for sentence in sentences)
    chosen = sample_sentences(sentences, FLAGS.max_sentences, FLAGS.seed)
    words = [sentence.words for sentence in chosen]
    windows = encode_words(words, tokenizer, FLAGS.row_length)
    packed = pack_rows(windows.lengths, FLAGS.row_length, None).num_rows * FLAGS.row_length
    used = len(np.unique(windows.token_ids))
    return {
        "words": num_words,
        "words_per_sentence": round(num_words / len(sentences), 2),
        "text_bytes_per_word": round(text_bytes / num_words, 2),
        "memory_bytes_per_word": round(memory / num_words, 1),
        "encoded_words": windows.num_words,
        "subwords_per_word": round(len(windows.token_ids) / windows.num_words, 3),
        "places_per_word": round(packed / windows.num_words, 3),
        "trained_rows": used + -used % ROWS_MULTIPLE,
    }


def weigh_predictions(path: str) -> dict[str, float]:
    """Bytes of a source's predictions on disk and in memory."""
    import pyarrow

    from zsl_jax.data.predictions.prediction_files import read_predictions

    read_predictions(path)  # imports modules, whose memory is not counted
    before = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    predictions = read_predictions(path)
    memory = tracemalloc.get_traced_memory()[0] + pyarrow.total_allocated_bytes() - before
    tracemalloc.stop()
    count = len(predictions.labels)
    arrays = predictions.labels.nbytes
    arrays += 0 if predictions.probs is None else predictions.probs.nbytes
    return {
        "words": count,
        "labels": len(predictions.label_names),
        "file_bytes_per_word": round(Path(path).stat().st_size / count, 2),
        "memory_bytes_per_word": round(memory / count, 1),
        "array_bytes_per_word": round(arrays / count, 1),
    }


def count_stages(encoder, rows: int) -> dict[str, Any]:
    """XLA's counts per subword (update, log P_θ) and per word (E step)."""
    import numpy as np

    from zsl_jax.runtime.blocks import BLOCK_WORDS
    from zsl_jax.training import steps
    from zsl_jax.training.config import JointWeights

    places = FLAGS.rows * FLAGS.row_length
    layers = {}
    for name, lower in (("update", lowered_update), ("log_prior", lowered_log_prior)):
        none, one = (count(lower(with_layers(encoder, n), rows)) for n in (0, 1))
        layers[name] = {
            key: round((none[key] + encoder.num_layers * (one[key] - none[key])) / places)
            for key in none
        }
    words, sources, labels = BLOCK_WORDS, FLAGS.num_sources, FLAGS.num_labels
    table = shape((words, labels), np.float32)
    votes = shape((words, sources, labels), np.float32)
    block = steps.expectation.lower(
        JointWeights(),
        log_prior_block=table,
        votes=votes,
        previous=table,
        mask=shape((words,), bool),
        log_confusion=shape((sources, labels, labels), np.float32),
        compares=shape((), bool),
        hard=False,
    )
    e_step = {key: round(value / words) for key, value in count(block).items()}
    return {"per_subword": layers, "per_word": {"e_step": e_step}}


def with_layers(encoder, num_layers: int):
    return dataclasses.replace(encoder, num_layers=num_layers)


def count(lowered) -> dict[str, float]:
    costs = lowered.compile().cost_analysis()
    return {"flops": costs["flops"], "bytes": costs["bytes accessed"]}


def shape(sizes: tuple[int, ...], dtype: Any) -> Any:
    """Stands in for an array where a program is only lowered."""
    import jax

    return jax.ShapeDtypeStruct(sizes, dtype)


def shapes_of(encoder, rows: int):
    """The training state as shapes, with `rows` trained rows of word embeddings."""
    import jax
    import numpy as np

    from zsl_jax.training import steps, update
    from zsl_jax.training.config import OptimizerConfig
    from zsl_jax.training.state import TrainState

    sources, labels = FLAGS.num_sources, FLAGS.num_labels
    model = update.tagger(dataclasses.replace(encoder, vocab_size=rows, num_layers=1), labels)
    ids = np.zeros((1, FLAGS.row_length), np.int32)
    keys = {"params": jax.random.key(0)}
    params = jax.eval_shape(lambda: model.init(keys, ids, ids, ids, deterministic=True))["params"]

    def stacked(leaf):
        return shape((encoder.num_layers, *leaf.shape[1:]), leaf.dtype)

    layers = jax.tree.map(stacked, params["encoder"]["layers"])
    params = {**params, "encoder": {**params["encoder"], "layers": layers}}
    logits = shape((sources, labels, labels), np.float32)
    tree = {"tagger": params, "confusion": logits}
    moments = jax.eval_shape(lambda tree: steps.init_optimizer(tree, OptimizerConfig()), tree)
    step, key = shape((), np.int32), shape((2,), np.uint32)
    return TrainState(params, logits, moments, step, key)


def batch_shapes():
    import numpy as np

    from zsl_jax.types import TokenBatch

    return TokenBatch(*[shape((FLAGS.rows, FLAGS.row_length), np.int32)] * 4)


def lowered_update(encoder, rows: int):
    """Lowers an update of the latent variable model by soft EM."""
    import jax
    import numpy as np

    from zsl_jax.training import setup, update
    from zsl_jax.training.config import LabelModelConfig, TransferConfig
    from zsl_jax.training.config_choices import LabelModelKind
    from zsl_jax.training.schedules import StepSchedule

    paper = LabelModelConfig(LabelModelKind.PAPER)
    config = TransferConfig(dtype=FLAGS.dtype, label_model=paper)
    settings = setup.step_settings(config, encoder, FLAGS.num_labels)
    state = shapes_of(encoder, rows)
    places, labels = FLAGS.rows * FLAGS.row_length, FLAGS.num_labels
    target = shape((places, labels), np.float32)
    votes = shape((places, FLAGS.num_sources, labels), np.float32)
    evidence = update.Evidence(target, votes, state.confusion_logits)
    rates = StepSchedule(*[shape((), np.float32)] * len(StepSchedule._fields))

    def body(state, batch, evidence, rates):
        return update.device_update(settings, None, state, batch, evidence, rates)

    return jax.jit(body).lower(state, batch_shapes(), evidence, rates)


def lowered_log_prior(encoder, rows: int):
    import jax

    from zsl_jax.training import setup, update
    from zsl_jax.training.config import TrainConfig

    dtype = setup.activations_dtype(TrainConfig(dtype=FLAGS.dtype))
    model = update.tagger(encoder, FLAGS.num_labels, dtype)

    def body(params, batch):
        return model.apply({"params": params}, *batch[:3], deterministic=True)

    return jax.jit(body).lower(shapes_of(encoder, rows).params, batch_shapes())


def weigh_checkpoint(encoder, rows: int) -> dict[str, Any]:
    """Bytes of a training state in memory, and of its checkpoint; its values are random."""
    import jax
    import numpy as np

    from zsl_jax.training.checkpoints import Checkpoints
    from zsl_jax.training.devices import all_devices
    from zsl_jax.training.records import Progress

    rng = np.random.default_rng(FLAGS.seed)

    def filled(shape):
        if shape.dtype == np.float32:
            return rng.standard_normal(shape.shape, np.float32)
        return np.zeros(shape.shape, shape.dtype)

    shapes = shapes_of(encoder, rows)
    state = jax.tree.map(filled, shapes)
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder), all_devices(), state, ["label"])
        checkpoints.save(state, Progress(step=1))
        checkpoints.close()
        files = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "trained_rows": rows,
        "trained_parameters": sum(leaf.size for leaf in jax.tree.leaves(shapes.params)),
        "state_bytes": sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
        "file_bytes": files,
    }


if __name__ == "__main__":
    options.require("encoder")
    FLAGS.set_default("max_sentences", 2000)
    options.run(main)
