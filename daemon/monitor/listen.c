#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/monitor/internal.h"

#define BACKLOG 1024

/* shared: whether siblings may listen on the same port. Without it the kernel refuses an address
 * that somebody listens on, another of our daemons included. */
static int
listen_on(const char *address, int shared)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	const char *port = strrchr(address, ':');
	struct addrinfo *ai;
	const int on = 1;
	char host[64];
	size_t n;
	int fd;

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
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Without TCP_NODELAY here, accepted sockets wait 40 ms for an acknowledgement. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
		us_fatal("cannot make a listening socket: %s", strerror(errno));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		us_fatal("cannot listen on %s: %s%s", address, strerror(errno),
		    errno == EADDRINUSE ? " (is another daemon running there? set listen= to "
					  "another port)" :
					  "");
	freeaddrinfo(ai);
	return fd;
}

int
us_listen_socket(const char *address)
{
	return listen_on(address, 1);
}

void
us_listen_check(const char *address)
{
	(void)close(listen_on(address, 0));
}

void
us_notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n;
	int fd;

	if (path == NULL || (n = strlen(path)) == 0 || n >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		us_log(US_LOG_WARNING, "cannot tell the service manager: %s", strerror(errno));
	(void)close(fd);
}
