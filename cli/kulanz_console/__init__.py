"""The console: pages for the people who approve, watch, ask and reconcile, over one port of questions and actions."""
