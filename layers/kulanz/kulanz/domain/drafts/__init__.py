"""What sources report about incidents, and the drafts that persons confirm. A draft is never money by itself."""
