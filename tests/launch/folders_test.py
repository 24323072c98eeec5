"""Programs and the folders of others."""

import pytest

from tests.programs import program as run
from tests.workflows.tagger_test import BIO, write_tagger

FILES = {"cache/letters": "x", "vocab.txt": "x", "run.json": '{"flags": "of something else"}'}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("program", ["train", "transfer", "demo"])
def test_a_folder_that_no_run_made_is_refused_and_untouched(world, tmp_path, program, overwrite):
    arguments = {
        "train": [f"--encoder={world.encoder}", f"--train={world.train}"],
        "transfer": [
            f"--encoder={world.encoder}", f"--text={world.text}", f"--source=a={world.text}",
        ],
        "demo": [],
    }  # fmt: skip
    fill(tmp_path)
    errors = refused(program, tmp_path, *arguments[program], *["--overwrite"] * overwrite)
    assert f"error: {tmp_path} is not empty ('cache', 'run.json', 'vocab.txt')" in errors
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("program", ["predict", "annotate", "aggregate", "evaluate"])
def test_programs_that_write_a_file_leave_a_folder_alone(world, tmp_path, program):
    model = write_tagger(tmp_path / "model", world.encoder, BIO)
    arguments = {
        "predict": [f"--model={model}", f"--text={world.text}"],
        "annotate": [f"--model={model}", f"--text={world.text}"],
        "aggregate": [f"--source=a={world.text}", "--method=majority"],
        "evaluate": [f"--gold={world.text}", f"--predicted={world.text}"],
    }
    folder = tmp_path / ("somebody's" + (".json" if program == "evaluate" else ".parquet"))
    fill(folder)
    assert "is a folder; give a file" in refused(program, folder, *arguments[program])
    assert contents(folder) == FILES


def fill(folder):
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)


def refused(program, output, *arguments):
    """What a program says that does not write into a folder."""
    done = run(program, f"--output={output}", *arguments, status=2)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def contents(folder):
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in found}
