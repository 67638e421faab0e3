"""Reports: one document, and a renderer for each format."""
