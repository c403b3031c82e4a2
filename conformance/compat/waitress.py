"""Waitress: the application may have the connection of a request reset in place of an answer. No documented way leads there."""

from __future__ import annotations

import socket
import struct
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

_NOT_LINGERING = struct.pack("ii", 1, 0)
"""What makes the kernel send RST and not FIN when the socket is closed."""


def resettable(key: str) -> type[HTTPChannel]:
    """A class of connections (`channel_class` of a server) with whose requests the environment has, under this key, what resets
    the connection: it raises what ends the request without an answer."""

    class Task(WSGITask):  # type: ignore[misc]
        def get_environment(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environment()

            def reset() -> None:
                self.channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_LINGERING)
                raise ClientDisconnected

            environ[key] = reset
            return environ

    class Channel(HTTPChannel):  # type: ignore[misc]
        task_class = Task

    return Channel
