"""How long a person waits for a draft."""
