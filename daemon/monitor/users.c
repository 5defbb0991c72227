/*
 * Which user the roles run as: as root never root. The setting "users" is "own" (five users, one
 * for each role), or the name of one user for all of them; "shared" is whoever starts the daemon,
 * who must not be root.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/monitor/internal.h"
#include "daemon/process/owner.h"

static const struct {
	enum us_role role;
	const char *user;
} own[] = {
	{ US_ROLE_FRONT, "underseal-front" },
	{ US_ROLE_INTAKE, "underseal-intake" },
	{ US_ROLE_SEALER, "underseal-sealer" },
	{ US_ROLE_VAULT, US_OWNER_VAULT },
	{ US_ROLE_KEEPER, US_OWNER_KEEPER },
};

const char *
us_users_of(const struct us_monitor *m, enum us_role role)
{
	if (m->user != NULL)
		return m->user;
	for (size_t i = 0; i < US_COUNT(own) && !m->shared_user; i++)
		if (own[i].role == role)
			return own[i].user;
	return NULL;
}

/* Fatal if there is none of that name, or if it is root by another. */
static const struct passwd *
want_user(const char *name, const char *remedy)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		us_fatal("there is no user %s: %s", name, remedy);
	if (pw->pw_uid == 0)
		us_fatal("the user %s is root, as whom no role runs: name another", name);
	return pw;
}

/* Fatal unless that role's user can work in its directory, with the command that lets it. */
static void
want_directory(const struct us_monitor *m, enum us_role role)
{
	const char *user = us_users_of(m, role);
	char path[4096], why[US_OWNER_WHY];

	(void)snprintf(path, sizeof path, "%s/%s", m->data, us_role_name(role));
	if (us_owner_try(path, user, why) != US_OK)
		us_fatal("%s", why);
}

void
us_users_choose(struct us_monitor *m)
{
	const char *users = us_setting(m->settings, "users", "own");

	m->user = NULL;
	m->shared_user = geteuid() != 0;
	if (m->shared_user) {
		us_log(US_LOG_WARNING,
		    "all roles share one user, since the daemon was not started as root: a role "
		    "that is broken into can reach the others' files");
	} else if (strcmp(users, "shared") == 0) {
		us_fatal("users=shared would run every role as root, which none ever is: name one "
			 "user without rights for all of them, as users=nobody, and give it "
			 "%s/keeper and %s/vault (chown -R)",
		    m->data, m->data);
	} else if (strcmp(users, "own") == 0) {
		for (size_t i = 0; i < US_COUNT(own); i++)
			(void)want_user(own[i].user,
			    "make the five with 'useradd --system --user-group --no-create-home "
			    "--shell /usr/sbin/nologin NAME', or name one user for all roles: "
			    "users=NAME");
	} else {
		(void)want_user(users, "users= names one that exists, or is \"own\"");
		m->user = users;
		us_log(US_LOG_WARNING,
		    "all roles share one user (users=%s): a role that is broken into can reach "
		    "the others' files",
		    users);
	}
	want_directory(m, US_ROLE_KEEPER);
	want_directory(m, US_ROLE_VAULT);
}
