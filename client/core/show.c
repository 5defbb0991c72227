#include "client/core/show.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include <utf8proc.h>

#include "base/err.h"

static void
say_v(const char *format, va_list ap)
{
	char text[2048];

	(void)vsnprintf(text, sizeof text, format, ap);
	fputs("underseal: ", stderr);
	us_print_text(stderr, text, strlen(text), 0);
	fputc('\n', stderr);
}

void
us_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(format, ap);
	va_end(ap);
}

void
us_usage_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(format, ap);
	va_end(ap);
	exit(US_EXIT_USAGE);
}

void
us_give_up(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v(format, ap);
	va_end(ap);
	exit(status);
}

/* Characters that could change what a terminal shows of the rest: C0, C1, and Unicode's
 * bidirectional controls (UAX #9) and line separators. */
static int
is_hostile(utf8proc_int32_t c, int lines)
{
	if (lines && (c == '\n' || c == '\t'))
		return 0;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void
us_print_text(FILE *to, const void *text, size_t n, int lines)
{
	const utf8proc_uint8_t *p = text;

	while (n > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(p, (utf8proc_ssize_t)n, &c);

		if (k <= 0) {
			k = 1;
			c = 0;
		}
		if (is_hostile(c, lines))
			fputs("\xef\xbf\xbd", to);
		else
			(void)fwrite(p, 1, (size_t)k, to);
		p += k;
		n -= (size_t)k;
	}
}

const char *
us_json_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text == NULL ? "" : text;
}

double
us_json_number(const cJSON *object, const char *name, double fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

void
us_say_notes(const cJSON *answer)
{
	const cJSON *note;

	cJSON_ArrayForEach(note, cJSON_GetObjectItemCaseSensitive(answer, "notes"))
		if (cJSON_IsString(note))
			us_say("note: %s", note->valuestring);
}

/* A cell as text; arrays are joined with commas. Returns its width in bytes. */
static size_t
cell(const cJSON *row, const char *column, char *out, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, column), *element;
	size_t at = 0;

	out[0] = '\0';
	if (cJSON_IsString(item))
		(void)snprintf(out, size, "%s", item->valuestring);
	else if (cJSON_IsNumber(item))
		(void)snprintf(out, size, "%.0f", item->valuedouble);
	else if (cJSON_IsBool(item))
		(void)snprintf(out, size, "%s", cJSON_IsTrue(item) ? "yes" : "no");
	else if (cJSON_IsArray(item))
		cJSON_ArrayForEach(element, item)
			if (cJSON_IsString(element) && at < size)
				at += (size_t)snprintf(out + at, size - at, "%s%s",
				    at == 0 ? "" : ",", element->valuestring);
	return strlen(out);
}

void
us_print_table(const cJSON *rows, const char *const *columns, size_t n)
{
	size_t width[16] = { 0 };
	const cJSON *row;
	char text[512];

	n = n > 16 ? 16 : n;
	for (size_t i = 0; i < n; i++) {
		width[i] = strlen(columns[i]);
		cJSON_ArrayForEach(row, rows) {
			size_t w = cell(row, columns[i], text, sizeof text);

			width[i] = w > width[i] ? w : width[i];
		}
	}
	for (size_t i = 0; i < n; i++)
		printf("%-*s%s", i + 1 == n ? 0 : (int)width[i], columns[i],
		    i + 1 == n ? "\n" : "  ");
	cJSON_ArrayForEach(row, rows)
		for (size_t i = 0; i < n; i++) {
			size_t w = cell(row, columns[i], text, sizeof text);

			us_print_text(stdout, text, w, 0);
			if (i + 1 == n)
				putchar('\n');
			else
				printf("%*s", (int)(width[i] - w + 2), "");
		}
}

void
us_print_line(const char *label, struct us_bytes text)
{
	if (text.n == 0)
		return;
	printf("%-*s ", US_LABEL_WIDTH, label);
	us_print_text(stdout, text.p, text.n, 0);
	putchar('\n');
}

int
us_ask_yes(const char *question)
{
	char answer[16] = "";

	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	printf("%s (yes or no) [no] ", question);
	if (fflush(stdout) != 0 || fgets(answer, sizeof answer, stdin) == NULL) {
		putchar('\n');
		return 0;
	}
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int
us_ask_secret(const char *prompt, struct us_buf *answer)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), err = US_OK;
	struct termios before, quiet;
	char c;

	us_buf_reset(answer);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return US_ERR_IO;
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	(void)tcsetattr(fd, TCSAFLUSH, &quiet);
	if (write(fd, prompt, strlen(prompt)) < 0)
		err = US_ERR_IO;
	while (err == US_OK && read(fd, &c, 1) == 1 && c != '\n' && c != '\r')
		err = us_buf_put(answer, &c, 1);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (write(fd, "\n", 1) < 0)
		err = US_ERR_IO;
	(void)close(fd);
	return err;
}
