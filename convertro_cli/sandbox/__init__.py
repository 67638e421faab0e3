"""A local Convertro to rehearse against: it checks, counts and records what it receives."""
