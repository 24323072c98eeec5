"""Programs and the folders of others."""

import subprocess
import sys

import pytest

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
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", f"launch.{program}", f"--output={tmp_path}"]
    command += [*arguments[program], *["--overwrite"] * overwrite]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert f"error: {tmp_path} is not empty ('cache', 'run.json', 'vocab.txt')" in done.stderr
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {str(p.relative_to(tmp_path)): p.read_text() for p in found} == FILES
