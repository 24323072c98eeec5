"""The labels that entities get by their types, which may have letters of a tagging scheme."""

from collections.abc import Collection

from absl import logging

from zsl_jax.labels import OUTSIDE, TaggingScheme, label_parts, usual_spelling

# Letters that begin an entity; one that only ends it does not imply a scheme (E-MAIL is a type).
_LETTERS = ("B-", "I-", "S-", "U-", "W-")


def first_labels(kinds: Collection[str]) -> dict[str, str]:
    """The label of an entity's first word by its type: B-TYPE, unless types have scheme letters.

    Pipelines that do not know how a model spells its labels write spans of types B_PER and I_PER,
    of which the second continues the first. Other words are I-TYPE.

    Args:
      kinds: The types of all entities that a source gives.

    >>> first_labels(["PER"]), first_labels(["B_PER", "I_PER"])
    ({'PER': 'B-PER'}, {'B_PER': 'B-PER', 'I_PER': 'I-PER'})
    """
    written = sorted(kinds)
    usual = usual_spelling([OUTSIDE, *written])[1:]
    lettered = [kind for kind, name in zip(written, usual, strict=True) if name[:2] in _LETTERS]
    if label_parts(usual).scheme is TaggingScheme.PLAIN or not lettered:
        if lettered:
            logging.warning(
                "the types %s seem to have letters of a tagging scheme, but all types together "
                "(%s) are not of one; they are taken as they are",
                ", ".join(lettered),
                ", ".join(written),
            )
        return {kind: f"B-{kind}" for kind in written}
    pairs = zip(written, usual, strict=True)
    return {kind: f"{'B' if name[0] in 'BSUW' else 'I'}-{name[2:]}" for kind, name in pairs}
