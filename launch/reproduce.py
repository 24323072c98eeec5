"""Make a table or figure of the paper on your data.

python -m launch.reproduce --experiment=table4 --data=DIR --encoder=DIR_OR_HUB --output=DIR

--experiment is a name under launch/experiments, where each file describes the data that it needs,
or the path of your own YAML file. Every cell of the table is a run folder in the output. The same
command resumes, and several processes or machines with the same output share the cells. Flags of
the training replace what the experiment sets.
"""

from pathlib import Path

from absl import flags

from launch import options
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.errors import InputError

# The rows of a table differ in these; a flag cannot be the same for all of them.
_OF_ROWS = ("approach", "predictions", "label_model", "strategy", "distillation")

flags.DEFINE_string("experiment", None, "Name under launch/experiments, or a YAML file.")
flags.DEFINE_string("data", None, "Folder of the corpora that the experiment names.")
flags.DEFINE_string("profile", None, "Smaller sizes from the experiment's file, such as small.")
flags.DEFINE_list(
    "only", [], "Cells to run, in this order for each seed: SETTING, SETTING/TARGET and so on."
)
flags.DEFINE_list("rows", [], "Rows to run, by name (default: all).")
flags.DEFINE_list("seeds", [], "Random seeds (default: those of the experiment).")
flags.DEFINE_string("share", "1/1", "I/N: run every N-th cell, from the I-th on.")
flags.DEFINE_bool("list", False, "Print the cells with their states, and run none.")
flags.DEFINE_bool("keep_models", False, "Keep the tagger of every cell.")
options.define("encoder", "output", "max_sentences", "max_test_sentences")
options.define_overrides(_OF_ROWS)


def main() -> None:
    """Runs the cells that are open, and writes the table of all that are done."""
    from launch.experiment_file import read_experiment, with_chosen, with_sizes
    from zsl_jax.experiments.plan import Workplace

    experiment = read_experiment(FLAGS.experiment, FLAGS.profile, options.given_overrides(_OF_ROWS))
    experiment = with_chosen(experiment, FLAGS.rows, _seeds())
    experiment = with_sizes(experiment, FLAGS.max_sentences, FLAGS.max_test_sentences)
    data, output = Path(FLAGS.data), Path(FLAGS.output)
    work = Workplace(experiment, data, FLAGS.encoder, output, FLAGS.keep_models)
    chosen = _chosen(experiment)
    if FLAGS.list:
        return list_cells(work, chosen)
    make_table(work, chosen)


def list_cells(work, cells) -> None:
    """Prints the state of each cell."""
    from zsl_jax.experiments.states import state_of

    for cell in cells:
        say(f"{state_of(work, cell):<10}  {cell.name}")


def make_table(work, cells) -> None:
    """Runs the cells, reports failures, and writes the table in every format."""
    from zsl_jax.experiments.outcome import write_outcome
    from zsl_jax.experiments.run import run_cells
    from zsl_jax.experiments.states import check_same

    check_same(work, cells)
    failures = run_cells(
        work, cells, lambda number, cell: say(f"{number} of {len(cells)}: {cell.name}")
    )
    say(write_outcome(work))
    for failure in failures:
        say(f"failed: {failure.cell.name}: {failure.reason}")
    if failures:
        raise InputError(
            f"{len(failures)} of {len(cells)} cells failed; the same command tries them again"
        )


def _chosen(experiment):
    """The cells that the flags choose; each of them must choose some."""
    from zsl_jax.experiments.plan import cells_of, chosen_cells

    every = list(cells_of(experiment))
    if not every:
        raise InputError(
            f"--rows={','.join(FLAGS.rows)}: no setting has these; see their `sources`"
        )
    for start in FLAGS.only:
        if not chosen_cells(every, [start]):
            raise InputError(f"--only={start} names no cell; --list without --only names them all")
    chosen = chosen_cells(every, FLAGS.only, _share())
    if not chosen:
        count = len(chosen_cells(every, FLAGS.only))
        raise InputError(
            f"--share={FLAGS.share} is empty; give N up to the number of cells, {count}"
        )
    return chosen


def _seeds() -> list[int]:
    if not all(seed.isdecimal() for seed in FLAGS.seeds):
        raise InputError(f"--seeds={','.join(FLAGS.seeds)}: give whole numbers from 0")
    return list(dict.fromkeys(map(int, FLAGS.seeds)))


def _share() -> tuple[int, int]:
    first, _, step = FLAGS.share.partition("/")
    if not (first.isdecimal() and step.isdecimal() and 1 <= int(first) <= int(step)):
        raise InputError(f"--share={FLAGS.share} must read I/N with I from 1 to N, such as 2/4")
    return int(first), int(step)


if __name__ == "__main__":
    options.require("experiment", "data", "encoder", "output")
    options.run(main, {"output": []})
