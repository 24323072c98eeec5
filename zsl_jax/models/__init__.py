"""Encoders and heads in Flax Linen: arrays in, arrays out.

`families` is the table of supported encoders, `encoder` all of them as one module on packed rows,
`token_classifier` adds the head that gives log-probabilities, `huggingface` converts Hugging Face's
tensors to our parameters and back. Nothing here reads files, text or flags.
"""
