"""The pages on which operators look after their own account."""
