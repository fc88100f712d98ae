"""Deep-learning regression on tables, from one YAML file, at the command line."""

__version__ = "0.1.0"
