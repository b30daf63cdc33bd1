/* Routes of the loopback: what TCP does depends on calls, not on timers.
 *
 * When a delayed acknowledgement goes out depends on a timer, and whether that
 * fired between two calls on how busy the host is. A route may ask for none, as
 * `ip route ... quickack 1` does (tcp_in_quickack_mode()). It may also put off
 * retransmissions and probes of a closed window, which otherwise begin after
 * 200 ms (`rto_min lock 20s`; tcp_rto_min()).
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "init.h"
#include "sys.h"

#define LOOPBACK_IFINDEX 1
#define RTO_MIN_MS 20000

struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	char attributes[128];
};

struct answer {
	struct nlmsghdr header;
	struct nlmsgerr error;
	char rest[256];
};

static struct rtattr *add(struct request *request, int type, const void *data, unsigned length)
{
	struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), data, length);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static long ask(long fd, struct request *request)
{
	struct answer answer;
	long ret = sys6(__NR_sendto, fd, (long)request, request->header.nlmsg_len, 0, 0, 0);

	if (ret >= 0)
		ret = sys6(__NR_recvfrom, fd, (long)&answer, sizeof(answer), 0, 0, 0);
	if (ret >= 0 && answer.header.nlmsg_type == NLMSG_ERROR)
		ret = answer.error.error;
	return ret;
}

/* A route to an address of this machine, as the kernel makes it by itself, but for its metric. */
static long quick(long fd, int type, int flags, int family, const void *to, unsigned bits, const void *from)
{
	const unsigned length = family == AF_INET ? 4 : 16;
	const int oif = LOOPBACK_IFINDEX, on = 1, rto_min = RTO_MIN_MS, lock = 1 << RTAX_RTO_MIN;
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags },
		.route = { .rtm_family = family,
			   .rtm_dst_len = bits,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_KERNEL,
			   .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
			   .rtm_type = RTN_LOCAL },
	};
	struct rtattr *metrics;

	add(&request, RTA_DST, to, length);
	add(&request, RTA_OIF, &oif, sizeof(oif));
	if (type == RTM_NEWROUTE) {
		if (from)
			add(&request, RTA_PREFSRC, from, length);
		metrics = add(&request, RTA_METRICS, NULL, 0);
		add(&request, RTAX_LOCK, &lock, sizeof(lock));
		add(&request, RTAX_RTO_MIN, &rto_min, sizeof(rto_min));
		add(&request, RTAX_QUICKACK, &on, sizeof(on));
		metrics->rta_len += 3 * RTA_SPACE(sizeof(int));
	}
	return ask(fd, &request);
}

void acknowledge_at_once(void)
{
	static const unsigned char network[4] = { 127 }, address[4] = { 127, 0, 0, 1 };
	static const unsigned char address6[16] = { [15] = 1 };
	long fd = sys3(__NR_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	const int replace = NLM_F_CREATE | NLM_F_REPLACE;

	if (fd < 0)
		return;
	report("127.0.0.0/8 keeps its route, errno ",
	       quick(fd, RTM_NEWROUTE, replace, AF_INET, network, 8, address));
	report("127.0.0.1 keeps its route, errno ",
	       quick(fd, RTM_NEWROUTE, replace, AF_INET, address, 32, address));
	/* The kernel's own has a metric that user space cannot ask for, and so cannot replace. */
	if (quick(fd, RTM_DELROUTE, 0, AF_INET6, address6, 128, NULL) >= 0)
		report("::1 has no route, errno ",
		       quick(fd, RTM_NEWROUTE, NLM_F_CREATE, AF_INET6, address6, 128, NULL));
	sys1(__NR_close, fd);
}
