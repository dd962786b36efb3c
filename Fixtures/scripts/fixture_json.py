"""Writes fixtures: one key per line, arrays of numbers on one line, doubles by repr."""

import json
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1]


def _text(value, indent):
    pad = " " * indent
    if isinstance(value, dict):
        items = [f"{pad} {json.dumps(k)}: {_text(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{pad}}}"
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        items = [f"{pad} {_text(v, indent + 1)}" for v in value]
        return "[\n" + ",\n".join(items) + f"\n{pad}]"
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def write(name, value):
    path = FIXTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(value, 0) + "\n")
    print(f"{name}: {path.stat().st_size} bytes")
