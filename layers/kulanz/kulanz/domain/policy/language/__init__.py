"""The expressions of a policy: their grammar, their kinds of value, and the functions over them."""
