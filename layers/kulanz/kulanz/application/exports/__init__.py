"""Exports: asked for by a person, written in parts by the workers, fetched part by part."""
