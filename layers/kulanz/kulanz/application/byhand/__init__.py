"""What persons give by hand."""
