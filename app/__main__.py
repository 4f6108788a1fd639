"""`python -m app`, what `./cloudfilm` calls. Guarded: limited processes import this module again."""

if __name__ == "__main__":
    from app.cli import main

    main()
