/*
 * The answer to an echo request of nothing but zeros has a checksum of 0 where it should be 0xffff; who gets it counts it as damaged.
 *
 * cc icmp-zero-checksum.c && ./a.out (as root)        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Icmp: InCsumErrors of /proc/net/snmp. */
static long errors(void)
{
	char names[2048], values[2048];
	FILE *f = fopen("/proc/net/snmp", "r");
	long found = -1;

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *a, *b, *n, *v;

		if (strncmp(names, "Icmp: ", 6))
			continue;
		for (n = strtok_r(names, " \n", &a), v = strtok_r(values, " \n", &b); n && v;
		     n = strtok_r(NULL, " \n", &a), v = strtok_r(NULL, " \n", &b))
			if (!strcmp(n, "InCsumErrors"))
				sscanf(v, "%ld", &found);
	}
	if (f)
		fclose(f);
	return found;
}

int main(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	/* Type 8, code 0, checksum f7ff, identifier 0, number 0, and no data. */
	unsigned char request[8] = {8, 0, 0xf7, 0xff}, packet[200];
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), seen = -1;
	long before = errors();

	if (fd < 0 || sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(request)) {
		perror("raw socket (needs CAP_NET_RAW)");
		return 2;
	}
	for (int i = 0; i < 50 && seen < 0; i++) {
		ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n == 28 && packet[20] == 0)
			seen = packet[22] << 8 | packet[23];
		else if (n < 0)
			usleep(10000);
	}
	if (seen < 0) {
		printf("no answer came\n");
		return 2;
	}
	printf("expected checksum ffff, 0 more damaged messages\n");
	printf("seen     checksum %04x, %ld more damaged messages\n", seen, errors() - before);
	return seen != 0xffff;
}
