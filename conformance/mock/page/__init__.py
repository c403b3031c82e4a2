"""The mock's page for people, `/_mock/`: made anew for each call, without a script.

May import what the mock may. Start with render.py.
"""
