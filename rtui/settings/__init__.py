"""F1: what the user wrote down: options, sessions, configuration, themes, keys, and where these files live."""
