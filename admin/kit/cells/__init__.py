"""Editing in the list: one cell at a time, or all cells of a page as one form."""
