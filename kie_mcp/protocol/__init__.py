"""JSON-RPC 2.0 and the Model Context Protocol, without I/O: a line in, lines out through a callable."""
