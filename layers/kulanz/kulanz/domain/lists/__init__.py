"""The list of affected accounts, from bytes to typed rows.

`header` reads the first line and `lines` cuts the bytes into lines. `rows` takes a line apart.

`columns` declares what a policy reads of it, `cells` turns a cell into a value, `facts` says what these values are.
"""
