"""Methods, one file each; `emomap.method` has the registry of their names."""
