"""The stage on which the suite meets a live endpoint: the mock in a process of its own, faults on the way to it, TLS, Redis."""
