"""Sockets of the internet families (``include/net/inet_sock.h``)."""

from __future__ import annotations

IP_CMSG_PKTINFO = 0x1
IP_CMSG_TTL = 0x2
IP_CMSG_TOS = 0x4
IP_CMSG_RECVOPTS = 0x8
IP_CMSG_RETOPTS = 0x10
IP_CMSG_PASSSEC = 0x20
IP_CMSG_ORIGDSTADDR = 0x40
IP_CMSG_CHECKSUM = 0x80
IP_CMSG_RECVFRAGSIZE = 0x100
