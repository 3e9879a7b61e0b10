"""Event time, models of normal returns, abnormal returns."""
