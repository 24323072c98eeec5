import gzip
import io
import sys

import pytest

from zsl_jax.data.text import files
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError


def test_a_glob_is_one_text_in_sorted_order(tmp_path):
    for name in ("b", "a", "c/d"):
        path = tmp_path / f"{name}.conll"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{name}\tO\n", encoding="utf-8")
    (tmp_path / "e.conll").mkdir()

    def words(pattern):
        return [sentence.words[0] for sentence in read_sentences(f"{tmp_path}/{pattern}")]

    assert words("*.conll") == ["a", "b"]
    assert words("**/*.conll") == ["a", "b", "c/d"]
    assert words("[b].conll") == ["b"]
    with pytest.raises(InputError, match=r"\*\.conllu fits no file"):
        words("*.conllu")
    (tmp_path / "[b].conll").write_text("itself\tO\n", encoding="utf-8")
    assert words("[b].conll") == ["itself"]
    (tmp_path / "b.conll").write_text("b\tO\nc\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"/b\.conll, line 2"):
        words("*.conll")


@pytest.mark.parametrize("pattern", ["", "/*_gold_conll*", "/**"])
def test_a_file_beside_its_packed_copy_is_not_read_twice(tmp_path, pattern):
    path = tmp_path / "a.v4_gold_conll"
    for name in ("a.v4_gold_conll", "a.v4_gold_conll.gz", "b.v4_gold_conll.gz"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=rf"stands for both {path} and {path}\.gz, .*; remove one"):
        files.find_files(f"{tmp_path}{pattern}")
    path.unlink()
    names = ["a.v4_gold_conll.gz", "b.v4_gold_conll.gz"]
    assert files.find_files(f"{tmp_path}{pattern}") == [f"{tmp_path}/{name}" for name in names]


def test_standard_input(monkeypatch):
    def given(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    given(b"a\tO\n")
    with pytest.raises(InputError, match="name its `format`"):
        read_sentences("-")
    assert read_sentences("-", format="conll")[0].words == ("a",)
    given("caf\u00e9 O\n".encode("iso-8859-1"))
    assert read_sentences("-", format="conll", encoding="latin-1")[0].words == ("caf\u00e9",)
    given(b"")
    with pytest.raises(InputError, match="- holds no words"):
        read_sentences("-", format="jsonl")
    with pytest.raises(InputError, match="- is not a file of the format parquet"):
        read_sentences("-", format="parquet")


def test_gzip_bombs_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"a O\n" * (1 << 18)))
    assert path.stat().st_size < 4000
    monkeypatch.setattr(files, "UNPACKED_LIMIT", 1 << 20)
    assert len(read_sentences(path)[0].words) == 1 << 18
    path.write_bytes(gzip.compress(b"a O\n" * ((1 << 18) + 1)))
    with pytest.raises(InputError, match=r"a\.conll\.gz unpacks to more than 1 MiB.*unpack it"):
        read_sentences(path)


def test_encodings(tmp_path):
    path = tmp_path / "a.conll"
    path.write_bytes("\u017c\tO\n".encode("iso-8859-2"))
    assert read_sentences(path, encoding="iso-8859-2")[0].words == ("\u017c",)
    for encoding in ("nonsense", "hex", "\0"):
        with pytest.raises(InputError, match="`encoding`="):
            read_sentences(path, encoding=encoding)
    with pytest.raises(InputError, match="not in the encoding ascii"):
        read_sentences(path, encoding="ascii")
    path.write_bytes("\u017c\tO\n".encode("utf-16"))
    assert read_sentences(path, encoding="utf-16")[0].words == ("\u017c",)


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF-8", "utf8"])
def test_what_is_not_utf_8_is_located_however_it_is_spelled(tmp_path, encoding):
    (tmp_path / "a.conll").write_bytes("a\tO\n\u017c\tO\n".encode("iso-8859-2"))
    place = r"a\.conll, line 2: byte 0xbf at offset 4 of the file is not UTF-8; convert it"
    with pytest.raises(InputError, match=place):
        read_sentences(tmp_path / "a.conll", encoding=encoding)


@pytest.mark.parametrize(
    "text", ["Anna lives\nin Rome\n", "\u592a\u90ce\tO\n\u662f\tO\n", "\xe9t\xe9\r\n"]
)
@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.jsonl", "a.conllu"])
@pytest.mark.parametrize("own", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_without_a_byte_order_mark_are_recognised(tmp_path, text, name, own):
    path = tmp_path / name
    path.write_bytes(text.encode(own))
    for encoding, way_out in ((None, rf", or .*`encoding`={own}$"), ("utf-8", "$")):
        convert = rf"convert it \(iconv -f {own} -t utf-8 FILE\)"
        with pytest.raises(InputError, match=rf"{name}, line 1: .*; {convert}{way_out}"):
            read_sentences(path, with_labels=False, encoding=encoding)
    with pytest.raises(
        InputError, match=rf"line 1: a NUL, as in {own.upper()}; .*`encoding`={own}"
    ):
        read_sentences(path, with_labels=False, encoding="iso-8859-1")
    assert list(files.read_lines(str(path), own)) == text.replace("\r", "").split("\n")
    path.write_bytes(text.encode(own[:6]))
    if text.isascii():
        return
    with pytest.raises(InputError, match=rf"not UTF-8; .*`encoding`={own[:6]}$"):
        read_sentences(path, with_labels=False)


@pytest.mark.parametrize("encoding", [None, "utf-16-le"])
def test_a_nul_in_a_text_is_refused(tmp_path, encoding):
    path = tmp_path / "a.conll"
    path.write_bytes(("Anna\tO\n" * 99 + "\0\tO\n").encode(encoding or "utf-8"))
    with pytest.raises(InputError, match=r"line 100: a NUL, which does not belong .*; remove it"):
        read_sentences(path, encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-7"])
@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 1 << 20])
def test_blocks_change_nothing(tmp_path, monkeypatch, encoding, block_bytes):
    """Characters, line ends and the byte-order mark may lie on both sides of a block's end."""
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    path = tmp_path / "a"
    mark = "\ufeff" if encoding == "utf-8" else ""
    path.write_bytes((mark + "caf\u00e9\r\n\nb\x0c\r\r\nc").encode(encoding))
    assert list(files.read_lines(str(path), encoding)) == ["caf\u00e9", "", "b\x0c", "c"]
    path.write_bytes("ab\ncd\ref".encode(encoding))
    with pytest.raises(InputError, match="line 2: a carriage return inside the line"):
        list(files.read_lines(str(path), encoding))
    path.write_bytes(b"ab\ncd\nef\xc3")
    with pytest.raises(InputError, match="line 3: byte 0xc3 at offset 8"):
        list(files.read_lines(str(path), None))
