"""Three firms on the day that DeepSeek's model reached the market; the fixtures of `tests/conftest.py` study them."""

import eventstudy as es

TRIO = ("NVDA", "META", "GOOGL")
DAY = "2025-01-27"
EVENTS = [es.Event(ticker, DAY) for ticker in TRIO]
