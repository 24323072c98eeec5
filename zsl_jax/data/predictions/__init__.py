"""Predictions of the sources: files of every format in, votes for the words of a text out.

- `source_predictions`: `SourcePredictions`, one source's labels and probabilities, and checks
- `store`: `read_predictions`, the one door to all formats; the check against the text; votes
- `parquet_reader`, `parquet_writer`: predictions in Parquet
- `parquet_stream`: the same for texts of any length, in constant memory
- `json_predictions`: JSON lines of words
- `span_predictions`: JSON lines of character spans
- `projection`: character spans brought onto the words of the text
- `mentions`: places of entities that come without offsets
- `doubtful_offsets`: warnings where offsets seem to count something else
- `to_bio`: labels and probabilities in any tagging scheme, converted to BIO
- `label_maps`: label maps, `--label_map`
- `label_table`: votes.parquet, all labellings of a text side by side
- `memmap`: probabilities in temporary files
"""
