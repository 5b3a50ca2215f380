"""The images built by Docker, started as AWS starts them, and a job done with each.

``make image-check`` takes some minutes and root's Docker, so CI leaves it out.
"""
