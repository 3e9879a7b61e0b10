"""A study: specification and run, intake of data, result, summary, tables, files, checks of validity, power."""
