"""``kulanz doctor``: what can be checked of a deployed stack without harm, and what each finding means."""
