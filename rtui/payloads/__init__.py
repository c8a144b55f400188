"""F1: how bytes are shown. Bytes are the truth, text is a view."""
