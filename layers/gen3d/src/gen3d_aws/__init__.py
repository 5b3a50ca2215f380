"""The domain's half that knows AWS: records, files, task tokens, runs, and what is sent when."""
