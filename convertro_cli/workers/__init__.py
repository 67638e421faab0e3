"""The same job for every batch, in this process or in several, with the order kept."""
