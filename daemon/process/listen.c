#include "daemon/process/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG 1024

/* Fatal if the address is not of that form. Free with freeaddrinfo(). */
static struct addrinfo *
parse(const char *address)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	const char *port = strrchr(address, ':');
	struct addrinfo *ai;
	char host[64];
	size_t n;

	if (port == NULL || (n = (size_t)(port - address)) >= sizeof host)
		us_fatal("listen address '%s' is not ADDR:PORT", address);
	memcpy(host, address, n);
	host[n] = '\0';
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	if (getaddrinfo(host[0] == '\0' ? NULL : host, port + 1, &hints, &ai) != 0)
		us_fatal("listen address '%s' is not a numeric ADDR:PORT", address);
	return ai;
}

int
us_listen_socket(const char *address)
{
	struct addrinfo *ai = parse(address);
	const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	/* Without TCP_NODELAY here, accepted sockets wait 40 ms for an acknowledgement. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
		us_fatal("cannot make a listening socket: %s", strerror(errno));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		us_fatal("cannot listen on %s: %s", address, strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

void
us_listen_check(const char *address, const char *remedy)
{
	struct addrinfo *ai = parse(address);
	const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int taken;

	/* Without SO_REUSEPORT the kernel refuses an address that somebody listens on, another
	 * of our daemons included. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		us_fatal("cannot make a socket: %s", strerror(errno));
	taken = (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 1) != 0) &&
	    errno == EADDRINUSE;
	freeaddrinfo(ai);
	(void)close(fd);
	if (taken)
		us_fatal("somebody listens on %s already (%s)", address, remedy);
}
