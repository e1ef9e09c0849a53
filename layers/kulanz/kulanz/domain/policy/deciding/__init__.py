"""A policy compiled for a campaign, and one call for each row: from typed facts to a decision."""
