"""What comes of an example of a law. A law that none of its examples decides says nothing, whatever others of its scenario do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Trial:
    """What has come of an example so far."""

    has_shown: bool = False
    """Whether it has shown what its law says."""
    hindrance: str = ""
    """What kept it from that, or from some of it."""
    is_over: bool = False
    """Whether that is over by now."""

    @property
    def decides(self) -> bool:
        """Whether the law is decided by it, as far as one example can."""
        return self.has_shown and not self.hindrance
