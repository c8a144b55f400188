"""`python -m rtui` is `rtui`."""

from rtui.cli.main import main

if __name__ == "__main__":
    main()
