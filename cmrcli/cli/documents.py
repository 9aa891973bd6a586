"""JSON on stdout: UTF-8 whatever the locale, so that a script can always read it back."""

from __future__ import annotations

import json
import sys


def json_line(value: object) -> bytes:
    """The value as one line of JSON with its line end; half surrogates, which UTF-8 lacks, as JSON escapes."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def write_json(value: object) -> None:
    """Puts the value on stdout as one line."""
    sys.stdout.buffer.write(json_line(value))
