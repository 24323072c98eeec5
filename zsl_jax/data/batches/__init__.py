"""Batches: from words to windows of subwords, and rows packed with them.

- `subwords`: words as subwords, and the place of each word's first subword
- `windows`: ranges of words, overlapping where a sentence is too long for a row
- `packing`: rows packed with windows, and batches of rows
- `hidden_batches`: batches that look up the output of the frozen layers
"""
