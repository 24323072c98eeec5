"""Recognises folders without safetensors or config.json, and suggests a remedy."""

import json
import re
from pathlib import Path

ADAPTER = "adapter_config.json"
_CLASS = re.compile(
    r"(Bert|Roberta|XLMRoberta|XLMRobertaXL|Camembert|DistilBert|Electra|DebertaV2|ModernBert)"
    r"(Model|For[A-Za-z]+)"
)
_SHOWN = 3  # names in a message


def way_out(folder: Path) -> str:
    """Returns the end of a message: what a folder has instead of safetensors, and the remedy."""
    if (folder / ADAPTER).is_file():
        return _merge(folder)
    for pattern, what, arguments, needs in (
        ("*.bin", "a pickle, which is never opened", "", "transformers and PyTorch"),
        ("flax_model*.msgpack", "Flax weights", "from_flax=True", _before_5("Flax")),
        ("tf_model*.h5", "TensorFlow weights", "from_tf=True", _before_5("TensorFlow")),
    ):
        files = sorted(file.name for file in folder.glob(pattern))
        if files:
            return (
                f" but {', '.join(files[:_SHOWN])} ({what}); convert the weights once, with "
                f"{needs}: {_conversion(folder, arguments)}"
            )
    return "; fetch the weights too, or give another model folder"


def way_out_without_config(folder: Path) -> str:
    """Returns the end of a message: the kind of a folder without config.json, and the remedy."""
    if (folder / ADAPTER).is_file():
        return _merge(folder)
    if (folder / "meta.json").is_file() and (folder / "config.cfg").is_file():
        return f" but is a spaCy pipeline; it can be a source: `source`=NAME=spacy:{folder}"
    inside = sorted(file.parent.name for file in folder.glob("*/config.json"))
    if inside:
        return f", but folders in it have one: give one of {', '.join(inside[:_SHOWN])}"
    return (
        "; give a Hugging Face model folder, or label the text with the program that the model "
        "comes from, and give those predictions as the source"
    )


def _before_5(library: str) -> str:
    return f"transformers 4 (5 no longer reads them), PyTorch and {library}"


def _conversion(folder: Path, arguments: str) -> str:
    """A command that writes the model, its head and its tokenizer into a new folder."""
    given = f", {arguments}" if arguments else ""
    return (
        f"python -c \"import transformers as t; old = {str(folder)!r}; new = old + '-safetensors'; "
        f"t.{_class(folder)}.from_pretrained(old{given}).save_pretrained(new); "
        't.AutoTokenizer.from_pretrained(old).save_pretrained(new)", and give the new folder'
    )


def _class(folder: Path) -> str:
    """The class that config.json names, so that the head is kept."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (name,) = config.get("architectures") or [""]
    except (OSError, ValueError, AttributeError, TypeError):
        return "AutoModel"
    if isinstance(name, str) and _CLASS.fullmatch(name):
        return name
    return "AutoModelForTokenClassification" if "id2label" in config else "AutoModel"


def _merge(folder: Path) -> str:
    return (
        " but an adapter, which is only part of a model; merge it into its model once, with "
        f'peft, transformers and PyTorch: python -c "import peft; old = {str(folder)!r}; '
        "peft.AutoPeftModelForTokenClassification.from_pretrained(old, num_labels=K)"
        ".merge_and_unload().save_pretrained(old + '-merged')\", where K is the number of labels; "
        "write their names into id2label of the new config.json, copy the tokenizer's files there, "
        "and give that folder"
    )
