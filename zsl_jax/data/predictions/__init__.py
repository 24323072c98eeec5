"""Sources' predictions: files of every form in, votes for the words of a text out."""
