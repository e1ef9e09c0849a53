"""Who acts: persons, whom the stack can tell apart, and machines, which request and never approve."""
