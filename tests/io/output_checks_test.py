import pytest

from zsl_jax.errors import InputError
from zsl_jax.io.output_checks import check_is_not_input, check_may_start
from zsl_jax.io.run_folder import RunSpec, create_run_folder


def test_a_finished_run_stays_unless_it_is_to_be_replaced(tmp_path):
    check_may_start(tmp_path / "run", overwrite=False)
    run = create_run_folder(tmp_path / "run", RunSpec({}, 0))
    check_may_start(tmp_path / "run", overwrite=False)
    run.write_result({})
    check_may_start(tmp_path / "run", overwrite=True)
    with pytest.raises(InputError, match="already holds a finished run"):
        check_may_start(tmp_path / "run", overwrite=False)


def test_outputs_beside_inputs_are_free(tmp_path):
    for name in ("run.json", "report.html", "mine.conll"):
        (tmp_path / name).write_text("")
    inputs = [("`run`", tmp_path), ("`text`", tmp_path / "*.txt")]
    for name in ("report.html", "mine.conll", "new.json"):
        check_is_not_input(tmp_path / name, inputs)
    with pytest.raises(InputError, match=r"`output`=.*run\.json is a part of `run`="):
        check_is_not_input(tmp_path / "run.json", inputs)
    with pytest.raises(InputError, match=r"`output`=.* is `text` itself"):
        check_is_not_input(tmp_path / "mine.conll", [("`text`", tmp_path / "*.conll")])
