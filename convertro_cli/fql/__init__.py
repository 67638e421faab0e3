"""Segment's Filter Query Language: from text to a tree, and from a tree to a function.

The language is described at https://segment.com/docs/api/public-api/fql/. This room knows the
language alone: a condition is asked of any JSON object, whatever it stands for.
"""
