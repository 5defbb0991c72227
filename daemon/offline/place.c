#include "daemon/offline/place.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/offline/handout.h"
#include "daemon/process/listen.h"
#include "daemon/process/owner.h"

#define CONF_MAX 65536u

static const struct {
	const char *directory, *user;
} rooms[] = { { "keeper", US_OWNER_KEEPER }, { "vault", US_OWNER_VAULT } };

void
us_place_check(const struct us_place *place, const char *option)
{
	const struct passwd *pw = place->user == NULL ? NULL : getpwnam(place->user);
	char remedy[256];

	(void)snprintf(remedy, sizeof remedy,
	    "nothing was made. Choose another with %s ADDR:PORT; it can be changed later in "
	    "undersealed.conf",
	    option);
	us_listen_check(place->listen, remedy);
	if (place->user != NULL && pw == NULL)
		us_fatal("there is no user %s: nothing was made", place->user);
	if (pw != NULL && pw->pw_uid == 0)
		us_fatal("no role runs as root: --user names a user without rights");
}

/* Each line as a comment; bytes that a terminal might act on are left out. */
static int
put_comments(struct us_buf *out, struct us_bytes text)
{
	int err = US_OK, begins = 1;

	for (size_t i = 0; i < text.n && err == US_OK; i++) {
		const uint8_t c = text.p[i];

		if (begins)
			err = us_buf_putf(out, "# ");
		begins = c == '\n';
		if (err == US_OK && (begins || (c >= 0x20 && c < 0x7f)))
			err = us_buf_put_u8(out, c);
	}
	return err == US_OK && !begins ? us_buf_put_u8(out, '\n') : err;
}

void
us_place_settings(const char *data, const struct us_place *place, struct us_bytes backup)
{
	char path[4096];
	struct us_buf text;
	int err;

	us_buf_init(&text, 2 * CONF_MAX);
	err = us_buf_putf(&text,
	    "# settings of this vault; docs/OPERATING.md lists them\nlisten=%s\n", place->listen);
	if (err == US_OK && place->user != NULL)
		err = us_buf_putf(&text, "users=%s\n", place->user);
	if (err == US_OK && backup.n > 0)
		err = us_buf_putf(&text,
		    "# what the backup's undersealed.conf said; none of it is in effect\n");
	if (err == US_OK)
		err = put_comments(&text, backup);
	if (err != US_OK)
		us_fatal("the settings cannot be written: %s", us_strerror(err));
	if (snprintf(path, sizeof path, "%s/undersealed.conf", data) >= (int)sizeof path)
		us_fatal("the path %s is too long", data);
	us_handout_write(path, 0644, text.data, text.len);
	us_buf_free(&text);
}

void
us_place_give(const char *data, const struct us_place *place)
{
	char path[4096];

	for (size_t i = 0; i < US_COUNT(rooms); i++) {
		if (snprintf(path, sizeof path, "%s/%s", data, rooms[i].directory) >=
		    (int)sizeof path)
			us_fatal("the path %s is too long", data);
		us_owner_give(path, place->user != NULL ? place->user : rooms[i].user);
	}
}

void
us_place_try(const char *data, const struct us_place *place)
{
	char path[4096], why[US_OWNER_WHY];

	for (size_t i = 0; i < US_COUNT(rooms); i++) {
		const char *user = place->user != NULL ? place->user : rooms[i].user;

		(void)snprintf(path, sizeof path, "%s/%s", data, rooms[i].directory);
		if (geteuid() != 0)
			user = NULL;
		else if (getpwnam(user) == NULL)
			us_log(US_LOG_WARNING,
			    "there is no user %s yet: make the five of the roles before "
			    "'undersealed serve' (docs/OPERATING.md), then chown -R %s %s",
			    user, user, path);
		if ((user == NULL || getpwnam(user) != NULL) &&
		    us_owner_try(path, user, why) != US_OK)
			us_log(US_LOG_WARNING, "%s", why);
	}
}
