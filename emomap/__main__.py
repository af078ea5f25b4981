"""`python -m emomap` is `emomap`."""

from emomap.cli import main

main()
