"""A study: run, result, tables, files, power."""
