"""Whether a machine and an account are ready for a deployment: read-only, before anything is made.

``verdicts`` judges and asks nobody, ``machine`` asks programs, ``account`` asks AWS.
"""
