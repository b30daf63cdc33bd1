"""Calls on AF_NETLINK sockets (``net/netlink/af_netlink.c``)."""
