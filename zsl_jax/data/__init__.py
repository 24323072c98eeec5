"""Text on the host, in NumPy only: from files to packed batches of subwords.

`readers` and `writers` know the file formats, `subwords` cuts words into windows of subwords,
`packing` puts the windows into rows and batches, and `predictions` holds the sources' predictions.
Words are one flat axis over the corpus, in the order of the sentences.
"""
