"""convertro.toml: every key, its default, its check."""
