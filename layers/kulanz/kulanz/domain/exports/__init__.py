"""An export: what a campaign's plan, or the ledger, says about every line of its list, as rows."""
