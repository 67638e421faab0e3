"""The ledger in PostgreSQL, for any number of runs at once. Imported only where it is used."""
