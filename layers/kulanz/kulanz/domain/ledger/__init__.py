"""What is written about each account: its entries, what earlier campaigns granted, and the decider of a list's rows."""
