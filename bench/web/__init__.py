"""How fast the web app is, in a real browser on this machine."""
