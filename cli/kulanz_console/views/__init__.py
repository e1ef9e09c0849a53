"""A view a page: what it asks, what it shows, and what a person can do there."""
