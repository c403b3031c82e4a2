"""All that knows the HTTP library on the way to a target: requests, the network, and answers that are bounded as a whole, in time
and in size. docs/decisions/018 says why it is httpx, and when to change.

May import the rest of the way (decoding, proxies). Start with network.py.
"""
