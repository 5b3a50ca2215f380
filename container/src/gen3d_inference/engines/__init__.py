"""The engines: one interface, the networks behind it, and the choice between them."""
