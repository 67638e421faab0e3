"""One message, rule by rule: what it became and why, and what would have sent it."""
