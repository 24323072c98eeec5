"""Sample corpora written for this project (Apache-2.0): invented or harmless sentences, not facts.

Named entities PER, ORG and LOC in BIO; languages en, de, nl and es.
"""

from pathlib import Path

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.types import Sentence


def sample_path(language: str) -> Path:
    """The file of one sample: "en", "de", "nl" or "es"."""
    return Path(__file__).parent / f"{language}.conll"


def read_sample(language: str) -> list[Sentence]:
    """The labelled sentences of one sample.

    Args:
      language: "en", "de", "nl" or "es".

    >>> read_sample("es")[0].words[:2]
    ('Ana', 'Quiroga')
    """
    return read_sentences(sample_path(language))
