"""Whole reports over the sample export, kept as files, so that whoever changes one sees it."""
