"""Exports in object storage: what lies there, and its bytes. Knows nothing of what they mean."""
