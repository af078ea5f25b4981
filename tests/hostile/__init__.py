"""Damaged, hostile and mistaken files, through every command that reads them."""
