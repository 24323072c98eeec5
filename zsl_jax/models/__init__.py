"""Encoders and heads in Flax Linen: arrays in, arrays out.

`encoder` is the BERT / XLM-R / DistilBERT encoder on packed rows, `tagger` adds the head that gives
log-probabilities, `convert` translates Hugging Face's tensors to our parameters and back. Nothing
here reads files, text or flags.
"""
