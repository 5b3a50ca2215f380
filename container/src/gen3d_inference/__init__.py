"""The inference image: one HTTP server over one of the engines."""
