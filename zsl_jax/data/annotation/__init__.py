"""Sentences for people to correct, and their corrections, in the formats of annotation tools."""
