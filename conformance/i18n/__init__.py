"""Words for people in their language: English, or Brazilian Portuguese from a catalogue of gettext's.

Imports nothing of ours. Start with `messages.py`, through which words go; `sentences.py` tells again what was made in English and
kept. The catalogue is made by `tests/message_catalogue.py`.
"""
