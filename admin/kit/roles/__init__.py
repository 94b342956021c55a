"""Roles as pages show them: a matrix to tick, who gains and loses what, and why."""

from admin.kit.roles.field import MatrixField
from admin.kit.roles.screens import Screen, screens_of

__all__ = ["MatrixField", "Screen", "screens_of"]
