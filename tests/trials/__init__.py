"""Trials that attack what a run promises a live endpoint, measured by a server that was written from the documents alone.

`make trials ARGS="..."` runs them (README.md in this directory); `make test` does not collect them.
"""
