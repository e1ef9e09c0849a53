"""The gate between a plan and its execution: the filed plan with its hash, approvals, and who must still approve."""
