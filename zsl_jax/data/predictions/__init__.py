"""Predictions of the sources: files of every format in, votes for the words of a text out.

- `source_predictions`: `SourcePredictions`, one source's labels and probabilities; their checks;
  the silence of sparse sources
- `prediction_files`: `read_predictions`, the one door to all formats
- `parquet_reader`, `parquet_writer`: predictions in Parquet
- `parquet_stream`: the same for texts of any length, in constant memory
- `json_predictions`: JSON lines of words
- `span_predictions`: JSON lines of character spans
- `span_types`: labels of entities by their types
- `projection`: character spans brought onto the words of the text, also spans that overlap or end
  inside a word
- `mentions`: places of entities that come without offsets
- `doubtful_offsets`: refuses offsets that seem to count something else
- `same_words`: the check that predictions have exactly the words of the text
- `to_bio`: whole texts and predictions in BIO, by `labels.conversion`, with a report
- `unspecified`: the label "_" among those of a source, which is none
- `label_maps`: label maps, `--label_map`
- `sharded_predictions`: predictions for several files, and for a shard
- `votes`: the predictions of all sources in one alphabet
- `label_table`: votes.parquet, all labellings of a text side by side
- `memmap`: probabilities in temporary files
"""
