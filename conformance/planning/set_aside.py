"""What a certification spends beside one client error for each kind of fault, by rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SET_ASIDE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "AUTH-05": 3, "AUTH-07": 4, "ORD-02": 3, "ORD-07": 1, "ORD-09": 1, "ORD-18": 2, "ORD-16": 9, "ORD-17": 3,
        "DEL-01": 4, "DEL-03": 1, "DEL-04": 4, "DEL-05": 2, "DEL-06": 2, "QRY-01": 1, "QRY-05": 3,
        "REC-02": 2, "REC-06": 4, "REC-09": 3, "REL-01": 1, "REL-03": 1, "REL-11": 3, "REL-12": 4, "REL-13": 2, "REL-18": 4,
        "WFL-01": 1, "WFL-04": 16, "CON-01": 9, "CON-02": 6, "CON-03": 3, "CON-04": 3, "CON-05": 16,
        "ERR-02": 22, "ERR-03": 3, "ERR-04": 7, "ERR-05": 6, "ERR-06": 1,
    }
)  # fmt: skip
"""Client errors that laws over several calls, or over any input, spend in a certification, by rule. A target that refuses all
that no document bounds costs nine more (ERR-06), for which the budget of an hour leaves room."""

IN_EVERY_STATUS: Final = ("ORD-02", "ORD-09", "ORD-10", "ORD-11", "ORD-18")
"""Rules of which a server may look at orders of one status only, or of one account: where fewer kinds are tried than there are
statuses, some of them are tried again. What that spends is set aside."""
