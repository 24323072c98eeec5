"""Recognises folders without safetensors or config.json, and suggests a remedy."""

import json
import re
from pathlib import Path

ADAPTER = "adapter_config.json"
_CLASS = re.compile(
    r"(Bert|Roberta|XLMRoberta|XLMRobertaXL|Camembert|DistilBert|Electra|DebertaV2|ModernBert)"
    r"(Model|For[A-Za-z]+)"
)
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
INDEX = "model.safetensors.index.json"
_PREDICTIONS = (
    "label the text with the program that it is for, and give those predictions as the source"
)
_ORIGINAL = "fetch the safetensors of the model that it was made from"
_EXPORTS = {
    "*.onnx": "an ONNX export",
    "onnx/*.onnx": "an ONNX export",
    "*.gguf": "an export for llama.cpp",
    "*.npz": "NumPy arrays, as MLX has them",
    "openvino_model*.bin": "an export for OpenVINO",
    "*.ot": "an export for Rust",
    "*.ml*": "an export for Core ML",
    "*.ckpt*": "a checkpoint of another program",
    "*.pt": "a pickle of another program",
    "*.pth": "a pickle of another program",
}
_SHOWN = 3  # names in a message


def way_out(folder: Path) -> str:
    """Returns the end of a message: what a folder has instead of safetensors, and the remedy."""
    if (folder / ADAPTER).is_file():
        return _merge(folder)
    if named_otherwise := _safetensors(folder):
        return named_otherwise
    for pattern, what, arguments, needs in (
        ("pytorch_model*.bin", "a pickle, which is never opened", "", "transformers and PyTorch"),
        ("flax_model*.msgpack", "Flax weights", "from_flax=True", _before_5("Flax")),
        ("tf_model*.h5", "TensorFlow weights", "from_tf=True", _before_5("TensorFlow")),
    ):
        files = sorted(file.name for file in folder.glob(pattern))
        if files:
            return (
                f" but {', '.join(files[:_SHOWN])} ({what}); convert the weights once, with "
                f"{needs}: {_conversion(folder, arguments)}"
            )
    for pattern, what in _EXPORTS.items():
        files = sorted(str(file.relative_to(folder)) for file in folder.glob(pattern))
        if files:
            return f" but {files[0]} ({what}); {_ORIGINAL}, or {_PREDICTIONS}"
    return "; fetch the weights too, or give another model folder"


def way_out_without_config(folder: Path) -> str:
    """Returns the end of a message: the kind of a folder without config.json, and the remedy."""
    if (folder / ADAPTER).is_file():
        return _merge(folder)
    if (folder / "meta.json").is_file() and (folder / "config.cfg").is_file():
        return f" but is a spaCy pipeline; to use it as a source, give spacy:{folder}"
    inside = sorted(file.parent.name for file in folder.glob("*/config.json"))
    if inside:
        return f", but folders in it have one: give one of {', '.join(inside[:_SHOWN])}"
    return (
        "; give a Hugging Face model folder, or label the text with the program that the model "
        "comes from, and give those predictions as the source"
    )


def _safetensors(folder: Path) -> str:
    """The end of a message about safetensors under another name; empty if there are none."""
    files = sorted(file.name for file in folder.glob("*.safetensors"))
    if any(map(_SHARD.fullmatch, files)):
        return f" and no {INDEX}, which lists what is in {files[0]}, ...; fetch that file too"
    if files:
        return f" but {', '.join(files[:_SHOWN])}; if it holds the whole model, rename it"
    return ""


def _before_5(library: str) -> str:
    return f"transformers 4 (5 no longer reads them), PyTorch and {library}"


def _conversion(folder: Path, arguments: str) -> str:
    """A command that writes the model, its head and its tokenizer into a new folder."""
    given = f", {arguments}" if arguments else ""
    name, other = _class(folder)
    dropped = f"; {other} may have layers that this drops: if so, {_PREDICTIONS}" if other else ""
    return (
        f"python -c \"import transformers as t; old = {str(folder)!r}; new = old + '-safetensors'; "
        f"t.{name}.from_pretrained(old{given}).save_pretrained(new); "
        't.AutoTokenizer.from_pretrained(old).save_pretrained(new)", and give the new folder'
        f"{dropped}"
    )


def _class(folder: Path) -> tuple[str, str]:
    """The class that config.json names, so that the head is kept.

    Returns:
      The class to load, and the one that config.json names if it is another program's.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (name,) = config.get("architectures") or [""]
    except (OSError, ValueError, AttributeError, TypeError):
        return "AutoModel", ""
    if isinstance(name, str) and _CLASS.fullmatch(name):
        return name, ""
    fallback = "AutoModelForTokenClassification" if "id2label" in config else "AutoModel"
    return fallback, name if isinstance(name, str) else ""


def _merge(folder: Path) -> str:
    if not _is_of_peft(folder):
        return f" but an adapter, which is only part of a model; {_PREDICTIONS}"
    return (
        " but an adapter, which is only part of a model; merge it into its model once, with "
        f'peft, transformers and PyTorch: python -c "import peft; old = {str(folder)!r}; '
        "peft.AutoPeftModelForTokenClassification.from_pretrained(old, num_labels=K)"
        ".merge_and_unload().save_pretrained(old + '-merged')\", where K is the number of labels; "
        "write their names into id2label of the new config.json, copy the tokenizer's files there, "
        "and give that folder"
    )


def _is_of_peft(folder: Path) -> bool:
    try:
        return "peft_type" in json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False
