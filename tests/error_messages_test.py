"""Errors of input read alike: part of a line after "error: ", without a capital and a full stop."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(file for top in ("zsl_jax", "launch") for file in (ROOT / top).rglob("*.py"))
NAMES = ("Parquet",)  # which have a capital of their own


def messages(tree: ast.AST) -> list[str]:
    """The messages of InputError that are written where it is raised, values as {}."""
    return [
        text(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError"
    ]


def text(node: ast.AST) -> str:
    """What an expression says, values as {}; of two alternatives, the first."""
    match node:
        case ast.Constant(str(said)):
            return said
        case ast.JoinedStr(parts):
            return "".join(map(text, parts))
        case ast.BinOp(left=left, right=right):
            return text(left) + text(right)
        case ast.IfExp(body=body):
            return text(body)
    return "{}"


def test_a_message_is_the_rest_of_a_line():
    for file in FILES:
        for message in messages(ast.parse(file.read_text(encoding="utf-8"))):
            first = re.match(r"\w*", message)[0]
            assert first in NAMES or not first[:1].isupper(), (file, message)
            assert not message.endswith("."), (file, message)


def test_the_library_does_not_speak_of_the_command_line():
    """A call from Python raises them, too."""
    for file in FILES:
        if file.is_relative_to(ROOT / "zsl_jax"):
            for message in messages(ast.parse(file.read_text(encoding="utf-8"))):
                assert not re.search(r"\b(flags?|command line)\b", message), (file, message)


def test_messages_are_found():
    code = 'InputError(f"{file}: no" " line."); InputError("Oh" + (", A" if b else "")); E("No.")'
    assert messages(ast.parse(code)) == ["{}: no line.", "Oh, A"]
