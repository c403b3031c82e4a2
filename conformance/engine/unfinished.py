"""Why an example is not tried to its end."""

from __future__ import annotations


class NotSeenYet(Exception):
    """An update may take 30 minutes to show, and so much time has not passed."""


class Spoiled(Exception):
    """Something did not go as it should where scenarios share a reconciliation: each tries it by itself, and says so."""


class Hindered(Exception):
    """The example can't be tried: what another rule demands is not to be had. The message says which."""


class HinderedForNow(Hindered):
    """It was in the way of the example for a time, and is over: another may be tried."""
