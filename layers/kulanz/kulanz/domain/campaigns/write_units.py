"""What a worker's writes come to: apart from the estimate, because every worker needs it and none the prices."""

INSERTS_PER_CALL = 25
"""The limit of BatchExecuteStatement."""
HISTORY_WRITE_UNITS = 4
"""A decision with its subject's history, of 1 KB each, in one transaction, which is billed double."""
