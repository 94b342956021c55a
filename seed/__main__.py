"""What `python -m seed` runs."""

from seed.command import seed_command

seed_command(prog_name="python -m seed")
