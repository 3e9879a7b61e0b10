"""A study built into a folder: page, figures, tables, executed notebooks, manifest; builds/ makes and publishes the files."""
