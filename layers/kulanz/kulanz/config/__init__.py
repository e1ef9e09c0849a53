"""The settings of each function: read from the environment at first use, checked, and named in every error."""
