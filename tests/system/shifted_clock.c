/*
 * shifted_clock.so, to be preloaded (LD_PRELOAD) into a daemon and a client of a test: their time
 * of day is as many seconds later as the file that SHIFTED_CLOCK names says, an i64 in this
 * machine's order, and follows it while they run. So a certificate can expire while its
 * connection is open.
 * Durations (the monotonic clocks) are left alone.
 *
 * The system calls are made directly: dlsym() may need memory, and this runs before a sanitizer's
 * runtime does.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out);
time_t time(time_t *out);
int gettimeofday(struct timeval *restrict out, void *restrict zone);

/* Its one word of state: set before main(), and then only read. */
static const volatile int64_t *shift;

__attribute__((constructor)) static void
map_shift(void)
{
	const char *path = getenv("SHIFTED_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		_exit(99); /* a test that believes the clock moved would show nothing */
	(void)close(fd);
	shift = p;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	long r = syscall(SYS_clock_gettime, clock, out);

	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && shift != NULL)
		out->tv_sec += (time_t)*shift;
	return (int)r;
}

time_t
time(time_t *out)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now = { 0, 0 };
	int r = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return r;
}
