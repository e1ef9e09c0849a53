"""An incident of a status page, and the two harder founding cases, told step by step on a deployed stack: O2/Alice 2012
and Swisscom 2018.

Each account's facts, and what must become of it, are plain arithmetic on its number: nothing here is computed by the
code that is compared with it.
"""
