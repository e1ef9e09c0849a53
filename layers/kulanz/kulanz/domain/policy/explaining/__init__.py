"""A decision told as the steps of its arithmetic."""
