"""Protocol Buffers by their descriptors, for payloads and gRPC. Protobuf takes 50 ms: import it when it is used."""
