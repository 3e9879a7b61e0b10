"""From a study's folder to the files that are published."""
