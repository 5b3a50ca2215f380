"""What people would wait and pay, simulated: nothing here was measured in AWS."""
