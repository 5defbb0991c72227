#include "client/core/show.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"

static void
say_v(const char *format, va_list ap)
{
	us_print_to(stderr, "underseal: ");
	us_print_v(stderr, format, ap);
	us_print_to(stderr, "\n");
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

void
us_print_line(const char *label, struct us_bytes text)
{
	if (text.n > 0)
		us_print("%-*s %.*s\n", US_LABEL_WIDTH, label, (int)text.n, (const char *)text.p);
}

int
us_ask_yes(const char *question)
{
	char answer[16] = "";

	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	us_print("%s (yes or no) [no] ", question);
	if (fflush(stdout) != 0 || fgets(answer, sizeof answer, stdin) == NULL) {
		us_print("\n");
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
