"""Measure how time and memory of a whole transfer grow with the text.

python -m benchmarks.end_to_end --encoder=DIR --source=en=models/en --source=id=id.parquet \
  --output=runs/end_to_end.json

Every line is a run of launch.transfer in a process of its own on that many random sentences of the
text (the sources annotate it first, unless they are files), followed by a run of launch.predict
with the resulting tagger on the same sentences. Sources that are files need --text to be exactly
the text that they were made for; --sentences=0 then uses all of it.

Reads DATA/pos/ca/train.conllu, where DATA is the environment variable ZSL_DATA (../shared/data by
default), unless --text is given.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from absl import flags

from benchmarks import measuring, real_texts
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError

options.define("encoder", "text", "source", "output", "approach", "rounds", "batch_words")
options.define("row_length", "seed")
flags.DEFINE_list("sentences", ["500", "1000", "2000", "4000"], "Sizes of the text.")
flags.DEFINE_enum("label_model", None, ["paper", "chain"], "As of launch.transfer.")
PASSED_ON = ("encoder", "approach", "label_model", "rounds", "batch_words", "row_length", "seed")

Line = dict[str, Any]


def main() -> None:
    """Runs every size, prints the table, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    if not FLAGS.source:
        raise InputError("--source is missing: give at least one, as --source=NAME=PATH")
    machine = measuring.machine()
    print(machine, flush=True)
    lines: list[Line] = []
    for count in map(int, FLAGS.sentences):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(transfer(count, Path(folder)))
        print(measuring.format_columns([_shown(lines[-1])]), file=sys.stderr, flush=True)
    print(measuring.format_columns([_shown(line) for line in lines]))
    settings = {name: FLAGS[name].value for name in (*PASSED_ON, "source")}
    write_json(Path(FLAGS.output), {"machine": machine, "flags": settings, "lines": lines})


def transfer(count: int, folder: Path) -> Line:
    """Runs one transfer and one prediction; returns seconds and bytes."""
    common = [f"--text={FLAGS.text or real_texts.pos('ca')}", f"--max_sentences={count}"]
    given = {name: FLAGS[name].value for name in PASSED_ON}
    output = folder / "model"
    command = program("transfer") + common
    command += [f"--{name}={value}" for name, value in given.items() if value is not None]
    command += [f"--source={source}" for source in FLAGS.source]
    trained = measuring.run_program([*command, f"--output={output}"])
    command = program("predict") + common
    command += [f"--row_length={FLAGS.row_length}", f"--seed={FLAGS.seed}", f"--model={output}"]
    predicted = measuring.run_program([*command, f"--output={folder / 'labelled.conll'}"])
    return {
        "sentences": count,
        **stages(output, trained.seconds),
        "peak": trained.peak,
        "peak_anonymous": trained.anonymous,
        "predict": predicted.seconds,
        "predict_peak": predicted.peak,
    }


def program(name: str) -> list[str]:
    """The command that runs one of our programs."""
    return [sys.executable, "-m", f"launch.{name}"]


def stages(output: Path, seconds: float) -> Line:
    """The time of each stage of a transfer, from its records."""
    text = (output / "metrics.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    result = json.loads((output / "result.json").read_text(encoding="utf-8"))
    updates = [record for record in records if record["kind"] == "step"]
    e_steps = [record for record in records if record["kind"] == "round"]
    words = sum(record["words"] for record in updates if record["epoch"] == 0)
    spent = {
        "updates": sum(record["seconds"] for record in updates),
        "e_steps": sum(record["seconds"] for record in e_steps),
    }
    rest = seconds - sum(spent.values())
    compiled = {key: result[key] for key in ("compilations", "compile_seconds")}
    return {"words": words, "seconds": seconds, **spent, "rest": rest, **compiled}


def _shown(line: Line) -> dict[str, str]:
    """The columns of the printed table; `rest` is start, sources and saving."""
    times = {name: line[name] for name in ("seconds", "updates", "e_steps", "rest", "predict")}
    sizes = {name: line[name] for name in ("peak", "peak_anonymous", "predict_peak")}
    return (
        {name: str(line[name]) for name in ("sentences", "words")}
        | {f"{name} s": f"{value:.1f}" for name, value in times.items()}
        | {f"{name} MB": f"{value / 1e6:.0f}" for name, value in sizes.items()}
        | {"programs": str(line["compilations"]), "compile s": f"{line['compile_seconds']:.1f}"}
    )


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
