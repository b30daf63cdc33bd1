"""IPv4 and IPv6 (``net/ipv4/*.c``, ``net/ipv6/*.c``)."""
