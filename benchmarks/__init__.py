"""Experiments on real corpora; never collected by pytest."""
