"""The part of spaCy that a source needs, for tests where spaCy is not installed.

`tests/workflows/spacy_source_test.py` runs the same tests on this and on spaCy itself.
"""

import json
import sys
import types
from pathlib import Path
from typing import Any, NamedTuple


class Token(NamedTuple):
    """A word with its part of speech; "" where it has none."""

    text: str
    pos_: str = ""


class Entity(NamedTuple):
    """Tokens from `start` up to `end`."""

    start: int
    end: int
    label_: str


class Meta(NamedTuple):
    """What a component sets."""

    assigns: list[str]


class Doc(list):
    """Tokens made of words; `spaces` must have one value per word, as in spaCy."""

    def __init__(self, vocab: Any, words: list[str], spaces: list[bool]):
        """Keep the words as they are."""
        assert len(words) == len(spaces)
        super().__init__(map(Token, words))
        self.text = "".join(w + " " * s for w, s in zip(words, spaces, strict=True))
        self.ents: list[Entity] = []
        self.set_attributes: set[str] = set()

    def has_annotation(self, attribute: str) -> bool:
        """Whether a component has set an attribute."""
        return attribute in self.set_attributes


class Language:
    """A pipeline of one component at most, which knows single words."""

    vocab = None

    def __init__(self, component: str | None, known: dict[str, str]):
        """Component "entity_ruler" or "attribute_ruler", and what it says of words."""
        self.pipe_names = [component] if component else []
        self._known = known
        self.pipe_labels = {name: sorted(set(known.values())) for name in self.pipe_names}

    def get_pipe_meta(self, name: str) -> Meta:
        """What a component sets."""
        return Meta(["doc.ents"] if name == "entity_ruler" else [])

    def pipe(self, docs: Any) -> Any:
        """Label one Doc after the other."""
        for doc in docs:
            found = [(place, self._known.get(token.text)) for place, token in enumerate(doc)]
            if "entity_ruler" in self.pipe_names:
                doc.ents = [Entity(at, at + 1, label) for at, label in found if label]
                doc.set_attributes.add("ENT_IOB")
            if "attribute_ruler" in self.pipe_names and any(label for _, label in found):
                doc[:] = [Token(doc[at].text, label or "") for at, label in found]
                doc.set_attributes.add("POS")
            yield doc

    def to_disk(self, path: Path) -> None:
        """Write the component and its words."""
        path.mkdir(parents=True)
        (path / "meta.json").write_text("{}")
        about = {"component": next(iter(self.pipe_names), None), "known": self._known}
        (path / "known.json").write_text(json.dumps(about))


def load(name: str) -> Language:
    """Read what `to_disk` wrote."""
    try:
        about = json.loads((Path(name) / "known.json").read_text())
    except OSError as error:
        raise OSError(f"[E053] Could not read a file from {name}\nsecond line") from error
    return Language(about["component"], about["known"])


def install(monkeypatch: Any) -> None:
    """Put this module in spaCy's place."""
    module = types.ModuleType("spacy")
    module.load = load  # type: ignore[attr-defined]
    tokens = types.ModuleType("spacy.tokens")
    tokens.Doc = Doc  # type: ignore[attr-defined]
    module.__spec__ = types.SimpleNamespace(name="spacy")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "spacy", module)
    monkeypatch.setitem(sys.modules, "spacy.tokens", tokens)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
