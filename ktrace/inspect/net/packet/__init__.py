"""AF_PACKET (``net/packet/af_packet.c``)."""
