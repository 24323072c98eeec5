"""Batches: from words to windows of subwords, and rows packed with them."""
