"""The job as a state machine, and the rules by which its tasks are tried again."""
