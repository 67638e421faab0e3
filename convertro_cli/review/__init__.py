"""Before anything is sent: what is in an export, what a change changes, and why."""
