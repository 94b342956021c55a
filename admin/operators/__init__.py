"""What an administrator does with operators: their form, and how they get in."""
