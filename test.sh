#!/usr/bin/env bash
# Every check of the project: lint, format, types, tests, doctests, and the site where it can be built.
set -euo pipefail
cd "$(dirname "$0")"
export HF_HUB_OFFLINE=1
ruff check .
ruff format --check .
mypy zsl_jax launch benchmarks &
types=$!
trap 'kill "$types" 2> /dev/null || true' EXIT
pytest --doctest-modules zsl_jax
pytest -n 3 --dist loadfile --no-loadscope-reorder tests
wait "$types"
if command -v mkdocs > /dev/null; then
  NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
fi
