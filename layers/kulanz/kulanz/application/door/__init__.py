"""The questions and actions that people have for Kulanz: one table of routes, and what each of them answers."""
