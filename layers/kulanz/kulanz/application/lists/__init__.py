"""What a campaign would make of a list of accounts."""
