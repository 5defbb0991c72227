#include "daemon/vault/store/sqlite_names.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Invariant: vfs is a copy of *base but for its name and xFullPathname, and is registered. */
struct us_sqlite_names {
	sqlite3_vfs vfs; /* first: SQLite hands it back to full_name() */
	sqlite3_vfs *base;
	char name[32];
};

/* A link in the place of the file is refused when it is opened (O_NOFOLLOW), as are links in the
 * places of the files beside it. Of names with a directory SQLite decides, as ever. */
static int
full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	const struct us_sqlite_names *n = (const struct us_sqlite_names *)(const void *)vfs;
	size_t length = strlen(name);

	if (strchr(name, '/') != NULL)
		return n->base->xFullPathname(n->base, name, size, out);
	if (size <= 0 || length >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, name, length + 1);
	return SQLITE_OK;
}

int
us_sqlite_names_new(struct us_sqlite_names **out)
{
	struct us_sqlite_names *n = calloc(1, sizeof *n);

	*out = NULL;
	if (n == NULL)
		return US_ERR_NOMEM;
	n->base = sqlite3_vfs_find(NULL);
	if (n->base != NULL) {
		n->vfs = *n->base;
		n->vfs.pNext = NULL;
		n->vfs.zName = n->name;
		n->vfs.xFullPathname = full_name;
		(void)snprintf(n->name, sizeof n->name, "us-%p", (void *)n);
	}
	if (n->base == NULL || sqlite3_vfs_register(&n->vfs, 0) != SQLITE_OK) {
		free(n);
		return US_ERR_IO;
	}
	*out = n;
	return US_OK;
}

void
us_sqlite_names_free(struct us_sqlite_names *n)
{
	if (n == NULL)
		return;
	(void)sqlite3_vfs_unregister(&n->vfs);
	free(n);
}

const char *
us_sqlite_names_vfs(const struct us_sqlite_names *n)
{
	return n->name;
}
