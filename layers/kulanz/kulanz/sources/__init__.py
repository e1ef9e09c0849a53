"""The sources that incidents come from: how each signs, and what its deliveries say. One module and one line each."""
