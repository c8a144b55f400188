"""F0½: Protocol Buffers by their descriptors. Every module but this one imports protobuf: import them when used."""
