"""What the command line does besides choosing a command (../cli.py): how it begins and ends, and the command `gate`.

May import everything. Start with entry.py.
"""
