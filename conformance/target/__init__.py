"""Whom we talk to, and how: the target file, the client, its tokens, its journal and its limits."""
