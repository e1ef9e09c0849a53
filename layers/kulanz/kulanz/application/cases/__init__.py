"""Cases: what waits for a person, what it would come to, and the decision by hand."""
