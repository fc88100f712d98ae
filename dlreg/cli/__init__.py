"""The terminal: options, printing, signals and exit codes."""
