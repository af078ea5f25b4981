"""Sanity."""
