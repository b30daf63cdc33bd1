"""AF_NETLINK (``net/netlink/af_netlink.c``)."""
