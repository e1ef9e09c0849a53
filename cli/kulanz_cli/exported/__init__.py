"""``kulanz export``: the rows of a campaign, fetched in parts, checked, and written as one file."""
