"""The panes. Each pulls from a model on `tick`; none awaits the network; all foreign text goes through `core.clean`."""
