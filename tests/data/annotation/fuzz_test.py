"""Whatever bytes a reader of corrections meets, it reads them whole or refuses them."""

import pytest

from benchmarks.annotators import EXPORTS, correct
from tests.data.annotation.round_trip_test import ENTITIES, ENTITY_NAMES, by_text, tasks_of
from tests.fuzzing import fuzz, read_or_refuse
from zsl_jax.data.annotation.corrections import match_corrections, read_corrections
from zsl_jax.data.annotation.tasks import TOOLS, write_tasks
from zsl_jax.errors import InputError


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A whole export of each tool."""
    folder = tmp_path_factory.mktemp("exports")
    files = []
    for name in EXPORTS:
        tool = next(tool for tool in TOOLS if name.startswith(tool))
        write_tasks(folder / "tasks", tasks_of(ENTITIES, "O"), tool, ENTITY_NAMES)
        correct(folder / "tasks", name, by_text(ENTITIES), folder / "export")
        files.append((folder / "export").read_bytes())
    return files


@fuzz
def test_exports(exports, tmp_path, rng):
    sentences = [sentence.words for sentence in ENTITIES]
    path = tmp_path / "export.json"
    path.write_bytes(rng.damaged(*exports))
    corrections = read_or_refuse(lambda path: read_corrections(str(path)), path)
    try:
        found = match_corrections(corrections or [], sentences, True)
    except InputError:
        return
    known = [(w, n) for w, n in zip(sentences, found, strict=True) if n is not None]
    assert all(len(words) == len(names) for words, names in known)
