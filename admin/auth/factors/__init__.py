"""What operators show besides a password: authenticator apps, backup codes and passkeys."""

from admin.auth.factors.codes import Codes
from admin.auth.factors.held import Held, has_factor, held_by
from admin.auth.factors.recovery import reset_factors

__all__ = ["Codes", "Held", "has_factor", "held_by", "reset_factors"]
