"""`python -m autolynx` is the command `autolynx`."""

from autolynx.cli import main

main()
