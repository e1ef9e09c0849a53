"""What billing must book: credits, what became of each, and the files by which they are delivered."""
