"""`python -m cmrcli` and the `cmrcli` script."""

from cmrcli.cli import main

if __name__ == "__main__":
    main()
