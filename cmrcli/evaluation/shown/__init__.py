"""How an evaluation is shown and handed on: tables, JSON lines, plots, sheets with pictures."""
