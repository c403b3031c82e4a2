"""The page of a run, index.html: what a person opens first. One file, made from the certificate alone.

May import what the reports may. Start with view.py, then render.py.
"""
