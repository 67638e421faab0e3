"""What is known of each call: ledger, dead letters, counts. All state is written here."""
