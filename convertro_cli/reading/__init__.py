"""Export files to batches of raw lines: knows files and compression, nothing of Segment."""
