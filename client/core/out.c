#include "client/core/out.h"

#include <ctype.h>
#include <langinfo.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utf8proc.h>

#include "base/err.h"
#include "base/number.h"

/* How a character that may not pass is put. */
enum us_out_form {
	US_OUT_SNIPPET, /* on one line, spelt */
	US_OUT_LINES,   /* line ends pass, spelt */
	US_OUT_JSON,    /* inside of JSON, escaped */
};

struct us_out_text {
	FILE *to; /* NULL: only counted */
	enum us_out_form form;
	int ascii; /* what is not ASCII does not pass */
	size_t column;
};

struct us_out_arguments {
	va_list ap;
};

/* ---- characters ---- */

static int
ascii_only(FILE *to)
{
	return to != NULL && isatty(fileno(to)) && strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* What could change how a terminal shows the rest, or shows nothing at all: C0, C1, bidirectional
 * controls (UAX #9), line separators, invisible format characters and tags, noncharacters. */
static int
is_hostile(utf8proc_int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x180e || c == 0x200b ||
	    c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	    (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) || (c & ~0x7f) == 0xe0000;
}

static void
put_ascii(struct us_out_text *t, const char *text)
{
	if (t->to != NULL)
		(void)fputs(text, t->to);
	t->column += strlen(text);
}

static void
put_spelt(struct us_out_text *t, utf8proc_int32_t c, int invalid_byte)
{
	char spelt[24];

	if (t->form == US_OUT_JSON && invalid_byte)
		(void)snprintf(spelt, sizeof spelt, "\\ufffd");
	else if (t->form == US_OUT_JSON && c > 0xffff)
		(void)snprintf(spelt, sizeof spelt, "\\u%04x\\u%04x", 0xd7c0 + ((unsigned)c >> 10),
		    0xdc00 + ((unsigned)c & 0x3ff));
	else if (t->form == US_OUT_JSON)
		(void)snprintf(spelt, sizeof spelt, "\\u%04x", (unsigned)c);
	else if (c < 0x80 || invalid_byte)
		(void)snprintf(spelt, sizeof spelt, "\\x%02x", (unsigned)c);
	else
		(void)snprintf(spelt, sizeof spelt, c > 0xffff ? "\\U%08x" : "\\u%04x",
		    (unsigned)c);
	put_ascii(t, spelt);
}

/* A line end, a tab: blanks, or what they are for. Returns whether c was one. */
static int
put_space(struct us_out_text *t, utf8proc_int32_t c)
{
	if (t->form == US_OUT_JSON || (c != '\n' && c != '\t'))
		return 0;
	if (t->form == US_OUT_SNIPPET) {
		put_ascii(t, " ");
	} else if (c == '\n') {
		put_ascii(t, "\n");
		t->column = 0;
	} else {
		do
			put_ascii(t, " ");
		while (t->column % 8 != 0);
	}
	return 1;
}

static void
put_text(struct us_out_text *t, const void *text, size_t n)
{
	const utf8proc_uint8_t *p = text;

	while (n > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(p, (utf8proc_ssize_t)n, &c);

		if (k <= 0) {
			put_spelt(t, *p, 1);
			k = 1;
		} else if (c == '\r' && n > 1 && p[1] == '\n' && t->form != US_OUT_JSON) {
			; /* the line end follows */
		} else if (put_space(t, c)) {
			;
		} else if (is_hostile(c) || (t->ascii && c >= 0x80)) {
			put_spelt(t, c, 0);
		} else {
			int width = utf8proc_charwidth(c);

			if (t->to != NULL)
				(void)fwrite(p, 1, (size_t)k, t->to);
			t->column += width > 0 ? (size_t)width : 0;
		}
		p += k;
		n -= (size_t)k;
	}
}

size_t
us_text_width(FILE *to, const char *text, size_t n)
{
	struct us_out_text counted = { .ascii = ascii_only(to) };

	put_text(&counted, text, n);
	return counted.column;
}

size_t
us_terminal_columns(FILE *to)
{
	const char *set = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (!isatty(fileno(to)))
		return 0;
	if (set != NULL && us_number_text(set, 1, 9999, &n) == US_OK)
		return (size_t)n;
	return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void
us_print_lines(FILE *to, const void *text, size_t n)
{
	struct us_out_text t = { .to = to, .form = US_OUT_LINES, .ascii = ascii_only(to) };

	put_text(&t, text, n);
}

/* ---- as printf() ---- */

struct us_out_conversion {
	int left, zero, width, precision; /* precision -1: not given */
	int size;                         /* 'l', 'z', 'j', 'q' (ll), or 0 */
	char kind;
};

static int
number_or_star(const char **p, struct us_out_arguments *arguments)
{
	int n = 0;

	if (**p == '*') {
		++*p;
		return va_arg(arguments->ap, int);
	}
	for (; isdigit((unsigned char)**p); ++*p)
		n = n > 9999 ? n : n * 10 + (**p - '0');
	return n;
}

/* Reads a conversion behind its '%'. Returns what follows it. */
static const char *
read_conversion(struct us_out_conversion *c, const char *p, struct us_out_arguments *arguments)
{
	*c = (struct us_out_conversion){ .precision = -1 };
	for (; *p == '-' || *p == '0'; p++)
		*(*p == '-' ? &c->left : &c->zero) = 1;
	c->width = number_or_star(&p, arguments);
	if (c->width < 0) {
		c->left = 1;
		c->width = c->width == INT_MIN ? 0 : -c->width;
	}
	if (*p == '.') {
		p++;
		c->precision = number_or_star(&p, arguments);
	}
	for (; strchr("lzj", *p) != NULL && *p != '\0'; p++)
		c->size = c->size == 'l' ? 'q' : *p;
	c->kind = *p;
	return *p == '\0' ? p : p + 1;
}

static intmax_t
next_signed(const struct us_out_conversion *c, struct us_out_arguments *arguments)
{
	switch (c->size) {
	case 'l':
		return va_arg(arguments->ap, long);
	case 'q':
		return va_arg(arguments->ap, long long);
	case 'z':
		return va_arg(arguments->ap, ssize_t);
	case 'j':
		return va_arg(arguments->ap, intmax_t);
	default:
		return va_arg(arguments->ap, int);
	}
}

static uintmax_t
next_unsigned(const struct us_out_conversion *c, struct us_out_arguments *arguments)
{
	switch (c->size) {
	case 'l':
		return va_arg(arguments->ap, unsigned long);
	case 'q':
		return va_arg(arguments->ap, unsigned long long);
	case 'z':
		return va_arg(arguments->ap, size_t);
	case 'j':
		return va_arg(arguments->ap, uintmax_t);
	default:
		return va_arg(arguments->ap, unsigned);
	}
}

/* The value of a conversion as text that has not been looked at: a string's own, else in room. */
static const char *
next_text(const struct us_out_conversion *c, struct us_out_arguments *arguments, char *room,
    size_t size)
{
	const char *text;

	switch (c->kind) {
	case 's':
		text = va_arg(arguments->ap, const char *);
		return text == NULL ? "" : text;
	case 'c':
		(void)snprintf(room, size, "%c", va_arg(arguments->ap, int));
		break;
	case 'd':
	case 'i':
		(void)snprintf(room, size, "%jd", next_signed(c, arguments));
		break;
	case 'u':
		(void)snprintf(room, size, "%ju", next_unsigned(c, arguments));
		break;
	case 'x':
		(void)snprintf(room, size, "%jx", next_unsigned(c, arguments));
		break;
	case 'f':
		(void)snprintf(room, size, "%.*f", c->precision < 0 ? 6 : c->precision,
		    va_arg(arguments->ap, double));
		break;
	case 'g':
		(void)snprintf(room, size, "%.*g", c->precision < 0 ? 6 : c->precision,
		    va_arg(arguments->ap, double));
		break;
	case '%':
		return "%";
	default: /* the next argument cannot be found */
		abort();
	}
	return room;
}

static void
put_conversion(struct us_out_text *t, const struct us_out_conversion *c,
    struct us_out_arguments *arguments)
{
	char room[400];
	const char *text = next_text(c, arguments, room, sizeof room);
	size_t n = c->kind == 's' && c->precision >= 0 ? strnlen(text, (size_t)c->precision) :
							 strlen(text),
	       width = us_text_width(t->to, text, n), fill = (size_t)c->width;

	fill = fill > width ? fill - width : 0;
	for (; !c->left && fill > 0; fill--)
		put_ascii(t, c->zero && c->kind != 's' ? "0" : " ");
	put_text(t, text, n);
	for (; fill > 0; fill--)
		put_ascii(t, " ");
}

void
us_print_v(FILE *to, const char *format, va_list ap)
{
	struct us_out_text t = { .to = to, .form = US_OUT_SNIPPET, .ascii = ascii_only(to) };
	struct us_out_arguments arguments;
	struct us_out_conversion c;

	va_copy(arguments.ap, ap);
	while (*format != '\0') {
		size_t n = strcspn(format, "%");

		(void)fwrite(format, 1, n, to);
		format += n;
		if (*format == '\0')
			break;
		format = read_conversion(&c, format + 1, &arguments);
		put_conversion(&t, &c, &arguments);
	}
	va_end(arguments.ap);
}

void
us_print_to(FILE *to, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	us_print_v(to, format, ap);
	va_end(ap);
}

void
us_print(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	us_print_v(stdout, format, ap);
	va_end(ap);
}

/* ---- what is read by programs ---- */

int
us_print_bytes(FILE *to, const void *bytes, size_t n)
{
	if (isatty(fileno(to)))
		us_print_lines(to, bytes, n);
	else if (n > 0)
		(void)fwrite(bytes, 1, n, to);
	return ferror(to) ? US_ERR_IO : US_OK;
}

int
us_print_json_line(FILE *to, const char *line, size_t n)
{
	struct us_out_text t = { .to = to, .form = US_OUT_JSON, .ascii = ascii_only(to) };

	if (isatty(fileno(to)))
		put_text(&t, line, n);
	else
		(void)fwrite(line, 1, n, to);
	(void)fputc('\n', to);
	return ferror(to) ? US_ERR_IO : US_OK;
}

void
us_print_json(FILE *to, const cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);

	if (text == NULL)
		us_print_to(to, "{}\n");
	else
		(void)us_print_json_line(to, text, strlen(text));
	cJSON_free(text);
}
