"""What the layer gives to the function."""

WORD = "from the layer"
