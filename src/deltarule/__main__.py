"""The entry point of `python -m deltarule`, which runs the same commands as `deltarule`."""

from deltarule.cli import main

if __name__ == "__main__":
    main()
