"""One function per task of a user: train, transfer, label, combine, score.

These functions join the other packages; the programs under `launch` read flags and call them.

The public functions of `zsl_jax`:

- `transfer`: sources and unlabelled text in, a tagger and the labelled text out
- `train`: labelled sentences in, a source model out
- `aggregate`: the sources' predictions in, one label per word out, without a tagger
- `tagger`: `Tagger`, a trained tagger that labels sentences
- `tagged_sentence`: `TaggedSentence`, a sentence with labels, probabilities and entities
- `results`: `AggregateResult` and `TransferResult`; the latter also from the folder of a run
- `given_text`, `resolve_sources`, `function_source`, `checked_predictions`: text and sources in the
  forms that Python users may give them
- `transfer_inputs`: the sources of `transfer`, for the text and for the test
- `source_settings`: how these are read: label maps, sparse sources, offsets, by the source's name
- `python_run_spec`: the record of a run that was started from Python

Sources and their predictions:

- `sources`: `Source`, what `--source=NAME=PATH` names (`launch.source_flags` parses it)
- `source_annotation`: its predictions for a text, read from files or made by a model or pipeline
- `source_conversion`: predictions in the target's labels, with warnings of what is doubtful
- `source_streams`: predictions for a text of any length, chunk by chunk
- `spacy_source`: spaCy pipelines
- `gold_words`: `--gold_words`, the words whose labels the user gives; other gold labels are not
  read from the text, see `data.text.read_options`
- `unseen_labels`: labels for a new text that no source gave in training
- `source_differences`: warnings where sources differ in their entity types or name far fewer
- `label_map_draft`: a drafted label map for entity types that one source names differently

A transfer, from the first step to the last:

- `transfer_run`: all of it, with what is written to the run folder
- `transfer_task`: the steps up to a trained tagger: inputs made ready, one approach trained
- `transfer_preview`: `--check`, what would be trained
- `approaches`: training by each `--approach`
- `fixed_targets`: targets of the approaches without a label model
- `starting_point`: `--init`, the encoder or source that training starts from
- `language_similarity`: weights of sources by the similarity of their languages
- `compare`: several approaches on the same sources, for one table
- `learned_sources`: what was learned about the sources, as a file and as a report
- `transfer_labels`: the labels of the text that was trained on: labels.parquet, labels.conll and
  votes.parquet
- `scoring`: the labelled test, scored
- `error_analysis`: its calibration, confusions and origins of errors
- `result_table`: the table at the end of a run, and the sentence below it

Label models without a tagger:

- `vote_aggregation`: majority, mean, Dawid–Skene and the others, from the votes alone
- `chain_model`: the default label model, the reliability-weighted chain
- `aggregation_run`: an aggregation as a run, fitted to a text and scored on a test

Taggers:

- `loaded_tagger`: a tagger loaded from a folder, and its predictions
- `prediction`: labels for a text, chunk by chunk: by P, or by Q, which joins tagger and sources
- `label_decoding`: labels from probabilities, word by word or by Viterbi
- `labelled_text`: labelled text, and how it is written in each format
- `unknown_words`: warnings where a tokenizer does not know many words of a text

Training:

- `supervised`: training on labelled text
- `trainable_part`: what is trained of a tagger (embeddings of the text's subwords, upper layers),
  cut out before training and put back afterwards
- `size_defaults`: epochs, words per update and the head's rate, from the sizes of text and encoder
- `corpus_batches`: a text as batches for training and prediction
- `frozen_cache`: the output of the frozen layers, computed once per text and kept on disk
- `run_hooks`: the progress bar, and metrics.jsonl
- `resumable_training`: resuming from a checkpoint

Scores of files:

- `evaluate`: prediction files against gold labels
"""
