"""F0, the vocabulary: frozen values that every room speaks. No I/O, no asyncio."""
