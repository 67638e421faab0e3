"""The speed of the program, measured beside what a user would otherwise reach for."""
