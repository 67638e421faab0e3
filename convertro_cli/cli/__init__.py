"""The command line: one module a command. It parses, calls, and prints."""
