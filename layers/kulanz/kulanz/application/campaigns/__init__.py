"""Opening, working, advancing, controlling and reporting a campaign."""
