"""Kulanz turns a service incident into credits: decided once per account, under a written policy."""

__version__ = "0.1.0"
