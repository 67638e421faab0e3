"""Whose messages are not sent: suppression lists, from their files to a quick look-up."""
