"""What is read from and written to disk besides text: models, runs and progress (no jax)."""
