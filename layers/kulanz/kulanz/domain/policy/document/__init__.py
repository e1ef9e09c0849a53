"""The policy as a document: its shape, its YAML and its data files, its published and its frozen bytes."""
