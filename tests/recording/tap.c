/*
 * Loaded into a client command (LD_PRELOAD) by a recording: appends what the command writes to and
 * reads from its TLS connections, as it is inside TLS, to the file that UNDERSEAL_TAP names. One
 * record a call: u64 connection, u8 direction (0 written, 1 read), u32 length, bytes; numbers
 * big-endian. Without the variable it does nothing. Never part of what is installed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/ssl.h>

static void
note(const SSL *ssl, uint8_t direction, const void *bytes, int n)
{
	const char *path = getenv("UNDERSEAL_TAP");
	uint64_t connection = (uint64_t)(uintptr_t)ssl;
	uint8_t head[13];
	struct iovec parts[2] = { { head, sizeof(head) },
		{ (void *)(uintptr_t)bytes, n > 0 ? (size_t)n : 0 } };
	int fd;

	if (path == NULL || n <= 0 ||
	    (fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
		return;
	for (int i = 0; i < 8; i++)
		head[i] = (uint8_t)(connection >> (56 - 8 * i));
	head[8] = direction;
	for (int i = 0; i < 4; i++)
		head[9 + i] = (uint8_t)((uint32_t)n >> (24 - 8 * i));
	if (writev(fd, parts, 2) < 0)
		abort(); /* half a recording is none */
	(void)close(fd);
}

static void *
next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (f == NULL)
		abort();
	return f;
}

int
SSL_write(SSL *ssl, const void *buf, int num)
{
	int (*f)(SSL *, const void *, int);
	void *p = next("SSL_write");
	int n;

	memcpy(&f, &p, sizeof(f)); /* ISO C has no conversion between the two */
	n = f(ssl, buf, num);
	note(ssl, 0, buf, n);
	return n;
}

int
SSL_read(SSL *ssl, void *buf, int num)
{
	int (*f)(SSL *, void *, int);
	void *p = next("SSL_read");
	int n;

	memcpy(&f, &p, sizeof(f));
	n = f(ssl, buf, num);
	note(ssl, 1, buf, n);
	return n;
}
