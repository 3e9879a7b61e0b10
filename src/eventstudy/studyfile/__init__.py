"""The folder of a study: its file, its dates of release, a new one to start from."""
