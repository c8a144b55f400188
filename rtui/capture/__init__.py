"""F1: every message of a run, in one SQLite file, and the questions that can be asked of it."""
