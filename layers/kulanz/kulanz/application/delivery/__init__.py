"""Deliveries: the credits of closed campaigns are assigned, written into files, and released."""
