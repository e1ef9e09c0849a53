"""Questions and actions about single decisions of the ledger."""
