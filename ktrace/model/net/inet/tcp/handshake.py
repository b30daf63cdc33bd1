"""What both ends of a connection of TCP agreed on (``struct tcp_options_received``)."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.model.elapsed import Instant


@dataclass(frozen=True, slots=True)
class Handshake:
    """What one end keeps of it.

    :param at: when it was over
    :param active: this end sent the SYN
    :param options: TCPI_OPT_TIMESTAMPS, TCPI_OPT_SACK and TCPI_OPT_WSCALE, as far as they are in use
    :param unit: what its first window is a multiple of; 0 where that is not known
    :param rcv_wscale: by what it scales the windows that it offers, ``None`` where that is not known
    :param quick: what it sends is acknowledged at once
    :param crossed: two SYNs met: it is connected to itself
    """

    at: Instant
    active: bool
    options: int
    unit: int
    rcv_wscale: int | None
    quick: bool
    crossed: bool
