"""The `kulanz` command: a thin shell over the use cases."""
