"""What a person types: one file a command; parse, call, render. The only room that prints or exits."""

from __future__ import annotations

from cmrcli.cli.app import main

__all__ = ["main"]
