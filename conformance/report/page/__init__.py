"""The page of a run, index.html: what a person opens first. One file, made from the certificate, and from the
traffic and earlier verdicts where they are beside it.

May import what the reports may. Start with view.py, then render.py.
"""
