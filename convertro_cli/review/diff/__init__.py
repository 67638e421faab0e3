"""What a change of the settings changes: the calls of each message before and after."""
