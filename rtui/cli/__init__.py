"""F4: the command line, one file per subcommand."""
