"""Whether prices are fit for a study: findings, with a severity each."""
