"""Text and predictions on the host, without JAX: from files to packed batches of subwords.

Words are one flat axis over the corpus, in the order of the sentences.

- `text`: readers and writers of text, by format
- `predictions`: prediction files of the sources, label maps, votes
- `batches`: subwords, windows, packed rows
- `annotation`: tasks for annotation tools, and what these export
- `shards`, `text_shard`: how a text is dealt out to the processes of a run
- `sampling`: random parts of a corpus
"""
