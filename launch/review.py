"""Correct the most doubtful sentences of a transfer, and estimate its scores from the corrections.

python -m launch.review --run=DIR --number=100 --tool=label_studio --output=tasks.json
python -m launch.review --run=DIR --estimate=EXPORT

The first command writes sentences with their labels for an annotation tool;
launch.transfer --gold_words=EXPORT learns from the corrections. The second command estimates the
scores of DIR on its whole text.
"""

from absl import flags

from launch import options
from launch.options import FLAGS
from launch.paths import refuse_other_ending
from launch.terminal import say
from zsl_jax.errors import InputError

flags.DEFINE_string("run", None, "Folder of a finished launch.transfer.")
options.define("output", "gold_words", "seed", "confidence", "resamples")
FLAGS["gold_words"].help = "Sentences that are corrected already, and not written again."
flags.DEFINE_enum(
    "tool",
    "label_studio",
    ["label_studio", "doccano", "prodigy", "argilla", "conll"],
    "The annotation tool that --output is for.",
)
flags.DEFINE_integer("number", 100, "Sentences to write.", 1)
flags.DEFINE_enum(
    "doubt",
    "errors",
    ["errors", "entropy", "margin", "disagreement", "random"],
    "What makes a sentence doubtful: expected errors or entropy of Q, the margin between its two "
    "best labels, or disagreement of the sources; random draws all sentences at random.",
)
flags.DEFINE_float(
    "random_share", 0.5, "Share of them to draw at random, as --estimate needs.", 0, 1
)
flags.DEFINE_string(
    "estimate", None, "Corrected sentences to estimate scores from; --output gets them as JSON."
)
_FORMATS = {  # by tool: what is written, and the endings of its name
    "label_studio": ("label_studio reads JSON", ".json"),
    "argilla": ("argilla reads JSON", ".json"),
    "doccano": ("doccano reads JSON lines", ".jsonl"),
    "prodigy": ("prodigy reads JSON lines", ".jsonl"),
    "conll": ("words and labels are written in columns", ".conll", ".tsv", ".txt"),
}
OF_TASKS = ("tool", "number", "doubt", "random_share", "gold_words")
NEXT_STEPS = {
    "label_studio": "Label Studio: import {0}; paste {1} as the labelling interface; export JSON",
    "doccano": "doccano: import {0} as JSONL (sequence labelling); export JSONL",
    "prodigy": "Prodigy: prodigy ner.manual DATASET blank:xx {0} --label {2}; export by db-out",
    "argilla": "Argilla: dataset.records.from_json('{0}'), a text field `text`, a span question "
    "`spans`; export by records.to_json",
    "conll": "correct the last column of {0} in any editor",
}


def main() -> None:
    """Writes sentences to correct, or estimates scores from corrected ones."""
    from zsl_jax.report.run_record import read_run

    if FLAGS.estimate is not None:
        options.refuse_unread(OF_TASKS, "with --estimate")
        refuse_other_ending("estimated scores are written as JSON", ".json")
        return estimate(read_run(FLAGS.run))
    options.refuse_unread(("confidence", "resamples"), "without --estimate")
    if FLAGS.output is None:
        raise InputError(
            "--output is missing: name the file for the tool, or give --estimate=FILE of corrected "
            "sentences"
        )
    refuse_other_ending(*_FORMATS[FLAGS.tool])
    write(read_run(FLAGS.run))


def write(record) -> None:
    """Writes the tasks, records how they were chosen, and prints what to do with them."""
    from zsl_jax.data.annotation.corrections import read_corrections
    from zsl_jax.data.annotation.tasks import marked_labels, write_tasks
    from zsl_jax.review import Drawing, can_estimate, draw_review, save_review

    drawing = Drawing(FLAGS.number, FLAGS.doubt, FLAGS.random_share, FLAGS.seed)
    before = read_corrections(FLAGS.gold_words) if FLAGS.gold_words else ()
    drawn = draw_review(record, drawing, before)
    files = write_tasks(FLAGS.output, drawn.tasks, FLAGS.tool, drawn.label_names)
    save_review(record, drawing, drawn.review)
    review, labels = drawn.review, ",".join(marked_labels(drawn.label_names))
    say(
        f"{len(drawn.tasks)} sentences of {review.num_sentences:,} to correct: {files[0]} "
        f"({len(review.chosen)} by doubt, {len(review.drawn)} at random)"
    )
    say(NEXT_STEPS[FLAGS.tool].format(files[0], files[-1], labels))
    every = f"{FLAGS.gold_words},EXPORT" if FLAGS.gold_words else "EXPORT"
    say(f"then: launch.transfer ... --gold_words={every} to learn from the corrections, and")
    if can_estimate(review):
        say(f"      launch.review --run={FLAGS.run} --estimate={every} for the scores of this run")
    else:
        say("      no estimate: it needs two sentences drawn at random (--random_share, --number)")


def estimate(record) -> None:
    """Prints a table of estimated scores."""
    from zsl_jax.evaluation.bootstrap import Resampling
    from zsl_jax.io.json_file import write_json
    from zsl_jax.review import estimate_scores, estimate_table

    resampling = Resampling(FLAGS.resamples, FLAGS.confidence, FLAGS.seed)
    found = estimate_scores(record, FLAGS.estimate, resampling)
    say(estimate_table(found, FLAGS.confidence))
    if FLAGS.output is not None:
        write_json(FLAGS.output, found.plain)


if __name__ == "__main__":
    options.require("run")
    options.run(main)
