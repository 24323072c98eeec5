"""Test of benchmarks.chain with a tiny encoder and few words."""

import importlib.util
import json

from tests.programs import start


def test_the_e_steps_stand_beside_an_m_step_and_the_fit_beside_other_programs(tmp_path):
    done = start(
        "benchmarks.chain", "--words=400", "--labels=3", "--sources=2", "--vocabulary=50",
        "--repeats=1", "--peer_words=100", "--iterations=2", "--encoder_shape=tiny",
        "--m_step_seconds=0", f"--output={tmp_path / 'figures.json'}",
    ).finish()  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    names = [line["program"] for line in figures["e_steps"]]
    assert names == ["chain, fit", "chain, E step", "paper, E step", "M step, one pass, tiny"]
    m_step = figures["e_steps"][-1]["per_word"]
    for line in figures["e_steps"]:
        assert line["of_m_step"] == line["per_word"] / m_step > 0
    assert [line["words"] for line in figures["e_steps"][:-1]] == [400] * 3
    fits = {line["program"]: line["words"] for line in figures["fits"]}
    assert set(fits.values()) == {100} and list(fits)[:2] == ["chain", "Dawid-Skene"]
    peers = {"crowd-kit Dawid-Skene": "crowdkit", "skweak HMM": "skweak"}
    for name, package in peers.items():
        installed = importlib.util.find_spec(package) is not None
        assert (name in fits) == installed
        missing = f"{name.split()[0]} is not installed and has no row"
        assert (missing in done.stdout) == (not installed)
