"""Reads and writes everything on disk but text and predictions: models and run folders (no jax)."""
