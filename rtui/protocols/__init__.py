"""F2: one protocol, one file. Only `registry` imports a concrete adapter."""
