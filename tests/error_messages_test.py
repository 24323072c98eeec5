"""Errors of input read alike: part of a line after "error: ", without a capital and a full stop."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(file for top in ("zsl_jax", "launch") for file in (ROOT / top).rglob("*.py"))
NAMES = ("Parquet",)  # which have a capital of their own


def messages(tree: ast.AST) -> list[str]:
    """The messages of InputError that are written where it is raised, values as {}."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("InputError"), args=[ast.Constant(str(text))]):
                found.append(text)
            case ast.Call(func=ast.Name("InputError"), args=[ast.JoinedStr(values)]):
                parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in values)
                found.append("".join(parts))
    return found


def test_a_message_is_the_rest_of_a_line():
    for file in FILES:
        for text in messages(ast.parse(file.read_text(encoding="utf-8"))):
            first = re.match(r"\w*", text)[0]
            assert first in NAMES or not first[:1].isupper(), (file, text)
            assert not text.endswith("."), (file, text)


def test_messages_are_found():
    tree = ast.parse(
        'raise InputError(f"{file}: no" " line."); InputError("Oh"); ValueError("No.")'
    )
    assert messages(tree) == ["{}: no line.", "Oh"]
