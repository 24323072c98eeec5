"""Reads and writes everything on disk but text and predictions: models and run folders (no jax).

Model folders:

- `model_folder`: Hugging Face folders: configuration, weights, tokenizer files
- `weights`: safetensors, in one file or in shards
- `tokenizer`: the tokenizer of a folder
- `unreadable_folders`: what a folder without safetensors or config.json holds instead
- `label_model_file`: label_model.safetensors
- `hidden_states`: the output of the frozen layers
- `checked_cache`: files that can be recomputed, with checksums in their names

Run folders:

- `run_folder`: the folder of a run: run.json, result.json, what must not differ on resuming;
  a finished run is not repeated
- `run_files`: the names of the files that a run may replace or remove
- `output_checks`: refuses an output that is an input or holds a finished run, before work begins
- `folder_lock`: keeps a second run out of a folder
- `metrics_file`: metrics.jsonl
- `tensorboard`: the same numbers as event files of TensorBoard
- `json_file`: JSON files, written atomically
- `bucket_copies`: downloads from buckets
"""
