import pytest

from launch.source_flags import parse_sources, refuse_unread_offsets
from zsl_jax.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"], "NAME=PATH"),
        (["a=x", "a=y"], "twice"),
        (["a/b=x"], "plain word"),
        (["a=none.parquet"], "no file"),
        (["a=-"], "--source=a=-: - is not a regular file, but predictions are read twice; write"),
    ],
)
def test_sources_that_cannot_be_meant_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        parse_sources(values)


def test_units_of_offsets_are_refused_for_predictions_without_character_spans(tmp_path):
    spans, words = tmp_path / "a.jsonl", tmp_path / "b.conll"
    spans.write_text('{"text": "Ann ran.", "spans": [[0, 3, "PER"]]}\n')
    words.write_text("Ann\tB-PER\nran.\tO\n")
    files = {"spans": [str(words), str(spans)], "words": [str(words)], "model": []}
    refuse_unread_offsets(["utf16", "spans=bytes"], files)
    for value in ("words=utf16", "model=utf16"):
        with pytest.raises(InputError, match=f"^--offsets={value} is not used without character"):
            refuse_unread_offsets(["spans=bytes", value], files)
    with pytest.raises(InputError, match=r"^--offsets=utf16 is not used without character spans"):
        refuse_unread_offsets(["utf16"], {**files, "spans": []})
