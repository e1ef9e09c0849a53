"""Deliveries of incident sources: received, kept, and looked at as drafts."""
