"""What is in an export: counted in worker processes, put together here, shown to a person."""
