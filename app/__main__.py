"""`python -m app`, what `./cloudfilm` calls."""

from app.cli import main

main()
