"""The mock in an integrator's own tests: in this process, on a socket, with what it was asked and what came of it.

May import everything but the package's public name; only that imports it. Start with mock.py, then fixture.py.
"""
