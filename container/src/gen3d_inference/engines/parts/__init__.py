"""What engines of torch are made of; it knows none of them."""
