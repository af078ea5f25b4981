"""Recipes that come with emomap: demo.toml and paper.toml."""
