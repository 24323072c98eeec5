"""How a run was made: command, settings, versions, hashes, machines."""

from typing import Any

from zsl_jax.report.run_record import RunRecord


def record_section(record: RunRecord) -> dict[str, Any]:
    """The run's record for the template."""
    run, result = record.run, record.result
    flags = run.get("flags") or {}
    return {
        "command": run.get("command"),
        "seed": run.get("seed"),
        "started": run.get("started"),
        "finished": result.get("finished"),
        "devices": result.get("devices"),
        "host": (run.get("process") or {}).get("host"),
        "shards": run.get("shards"),
        "resumed": len(run.get("resumed") or []),
        "flags": sorted(_flat(flags).items()),
        "versions": sorted((run.get("versions") or {}).items()),
        "files": [
            *sorted((run.get("data") or {}).items()),
            *sorted((run.get("test_data") or {}).items()),
        ],
        "models": sorted((run.get("models") or {}).items()),
        "readings": _readings(result.get("labels") or {}),
        "compilations": result.get("compilations"),
        "compile_seconds": result.get("compile_seconds"),
    }


def _flat(flags: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings that were given or have a default, as text; those of objects with their path."""
    found: dict[str, str] = {}
    for name, value in flags.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        elif value is not None and value != [] and value != "":
            found[prefix + name] = (
                " ".join(map(str, value)) if isinstance(value, list) else str(value)
            )
    return found


def _readings(labels: dict[str, Any]) -> list[tuple[str, str]]:
    """How the labels of each source and text were read."""
    found = []
    for kind, about in labels.items():
        several = about.items() if kind in ("source", "test_source") else [("", about)]
        for name, values in several:
            if values:
                listed = ", ".join(
                    f"{key.replace('_', ' ')}: {value}" for key, value in values.items()
                )
                found.append((f"{kind.replace('_', ' ')} {name}".strip(), listed))
    return found
