"""Runs a photo through a job as a browser does: by the HTTP API, and by clicks on the decoder."""
