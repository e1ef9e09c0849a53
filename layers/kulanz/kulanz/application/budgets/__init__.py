"""What campaigns cost of the months that budgets are set for: reserved, read, and set by an administrator."""
