"""Batches: from words to windows of subwords, and rows packed with them.

`word_ids` marks the first subword of each word, once per word, in every array from here on.

- `subwords`: words as windows of subwords, and `word_ids`
- `windows`: ranges of words, overlapping where a sentence is too long for a row
- `packing`: rows packed with windows, shuffled anew in each epoch, and batches of rows, filled up
  to a multiple of the devices
- `hidden_batches`: batches that look up the output of the frozen layers
"""
