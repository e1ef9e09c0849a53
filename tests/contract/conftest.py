"""Contract tests may use loopback: one of their backends is a server of its own."""
