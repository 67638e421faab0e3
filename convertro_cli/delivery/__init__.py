"""Calls over HTTP: how many at once, how fast, and when again. Knows nothing of Segment."""
