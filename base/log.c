#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* Set once at the start of a process, before threads. */
static const char *log_role = "underseal";
static enum us_log_level log_level = US_LOG_INFO;

void
us_log_init(const char *role, enum us_log_level level)
{
	log_role = role;
	log_level = level;
}

static __attribute__((format(printf, 3, 0))) void
write_line(enum us_log_level level, const char *suffix, const char *format, va_list ap)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
	static const int priorities[] = { 3, 4, 5, 6, 7 };
	char text[1024], line[1200];
	int n;

	(void)vsnprintf(text, sizeof text, format, ap);
	if (getenv("JOURNAL_STREAM") != NULL)
		n = snprintf(line, sizeof line, "<%d>%s: %s%s%s\n", priorities[level], log_role,
		    text, suffix == NULL ? "" : ": ", suffix == NULL ? "" : suffix);
	else
		n = snprintf(line, sizeof line, "%s %s: %s%s%s\n", names[level], log_role, text,
		    suffix == NULL ? "" : ": ", suffix == NULL ? "" : suffix);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof line) {
		n = (int)sizeof line - 1;
		line[n - 1] = '\n';
	}
	/* one write: lines of several processes do not mix */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void
us_log(enum us_log_level level, const char *format, ...)
{
	va_list ap;

	if (level > log_level)
		return;
	va_start(ap, format);
	write_line(level, NULL, format, ap);
	va_end(ap);
}

void
us_log_err(int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(US_LOG_ERROR, us_strerror(err), format, ap);
	va_end(ap);
}

void
us_fatal(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(US_LOG_ERROR, NULL, format, ap);
	va_end(ap);
	exit(1);
}

void
us_fatal_io(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(US_LOG_ERROR, NULL, format, ap);
	va_end(ap);
	exit(US_EXIT_IO);
}

void
us_panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(US_LOG_ERROR, "this is a bug", format, ap);
	va_end(ap);
	abort();
}

const char *
us_printable(char *out, size_t n, const void *text, size_t len)
{
	const unsigned char *p = text;
	size_t at = 0;

	if (n == 0)
		return out;
	for (size_t i = 0; i < len; i++) {
		int plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';
		size_t need = plain ? 1 : 4;

		if (n - at <= need + 3) {
			if (n - at > 3) {
				memcpy(out + at, "...", 3);
				at += 3;
			}
			break;
		}
		if (plain)
			out[at] = (char)p[i];
		else
			(void)snprintf(out + at, 5, "\\x%02x", p[i]);
		at += need;
	}
	out[at] = '\0';
	return out;
}
