"""A Koncili of our own: a stateful server with a clock that tests can move, defects and variants."""
