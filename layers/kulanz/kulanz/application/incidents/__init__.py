"""What reports about incidents look like, and what a withdrawal stops."""
