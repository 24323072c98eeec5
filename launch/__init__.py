"""The programs; each is run as `python -m launch.NAME`."""
