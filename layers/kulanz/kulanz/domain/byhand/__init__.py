"""What persons decide and give by hand: by which reasons, and how much."""
