"""Who operators are, how they sign in and out, and what they may do."""
