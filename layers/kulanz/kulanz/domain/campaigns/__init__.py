"""The campaign: its states and chunks, its sums and their reconciliation, what it costs."""
