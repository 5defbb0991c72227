#include "client/report/package.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client/core/file.h"
#include "client/core/show.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define PATH_BYTES 4096

static void
path_of(const struct us_package *p, const char *name, char out[PATH_BYTES])
{
	if (snprintf(out, PATH_BYTES, "%s/%s", p->dir, name) >= PATH_BYTES)
		us_give_up(US_EXIT_OTHER, "the name of %s is too long", name);
}

static void
list(struct us_package *p, const char *name, const uint8_t digest[32])
{
	char hex[65];

	us_hex_encode(digest, 32, hex);
	us_print_to(p->sums, "%s  %s\n", hex, name);
	if (ferror(p->sums))
		us_give_up(US_EXIT_OTHER, "cannot write the list of digests");
}

void
us_package_open(struct us_package *p, const char *dir)
{
	char path[PATH_BYTES];

	p->dir = dir;
	if (mkdir(dir, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot make %s: %s", dir,
		    errno == EEXIST ? "it exists already" : strerror(errno));
	path_of(p, "SHA256SUMS", path);
	p->sums = us_file_new(path);
	if (p->sums == NULL)
		us_file_cannot_make(path);
}

void
us_package_close(struct us_package *p)
{
	if (fclose(p->sums) != 0)
		us_give_up(US_EXIT_OTHER, "cannot write the list of digests");
}

void
us_package_dir(struct us_package *p, const char *name)
{
	char path[PATH_BYTES];

	path_of(p, name, path);
	if (mkdir(path, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot make %s: %s", path, strerror(errno));
}

static FILE *
make(const struct us_package *p, const char *name)
{
	char path[PATH_BYTES];
	FILE *f;

	path_of(p, name, path);
	f = us_file_new(path);
	if (f == NULL)
		us_file_cannot_make(path);
	return f;
}

void
us_package_put(struct us_package *p, const char *name, struct us_bytes content)
{
	FILE *f = make(p, name);
	uint8_t digest[32];
	int written = us_print_bytes(f, content.p, content.n) == US_OK;

	if (fclose(f) != 0 || !written || us_sha256(content.p, content.n, digest) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot write %s/%s", p->dir, name);
	list(p, name, digest);
}

void
us_package_copy(struct us_package *p, const char *from, const char *name, uint8_t digest[32],
    uint64_t *size)
{
	static uint8_t piece[65536];
	FILE *in = fopen(from, "rbe"), *out;
	struct us_hash *hash = NULL;
	size_t n;
	int err;

	if (in == NULL)
		us_give_up(US_EXIT_OTHER, "cannot read %s: %s", from, strerror(errno));
	out = make(p, name);
	err = us_hash_new(&hash);
	*size = 0;
	while (err == US_OK && (n = fread(piece, 1, sizeof piece, in)) > 0) {
		err = us_hash_update(hash, piece, n);
		if (err == US_OK)
			err = us_print_bytes(out, piece, n);
		*size += n;
	}
	if (err == US_OK && ferror(in))
		err = US_ERR_IO;
	if (err == US_OK)
		err = us_hash_final(hash, digest);
	us_hash_free(hash);
	(void)fclose(in);
	if (fclose(out) != 0 || err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot copy %s", from);
	list(p, name, digest);
}

void
us_package_runs(const struct us_package *p, const char *name)
{
	char path[PATH_BYTES];

	path_of(p, name, path);
	if (chmod(path, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot make %s a program: %s", path, strerror(errno));
}

void
us_package_tree(struct us_package *p, const char *from, const char *name)
{
	char path[PATH_BYTES], below[PATH_BYTES], source[PATH_BYTES];
	const struct dirent *entry;
	struct stat st;
	uint8_t digest[32];
	uint64_t size;
	DIR *dir;

	path_of(p, name, path);
	dir = opendir(from);
	if (dir == NULL || mkdir(path, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot copy the directory %s: %s", from,
		    strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof below, "%s/%s", name, entry->d_name) >=
			(int)sizeof below ||
		    snprintf(source, sizeof source, "%s/%s", from, entry->d_name) >=
			(int)sizeof source)
			us_give_up(US_EXIT_OTHER, "a name below %s is too long", from);
		if (lstat(source, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			us_give_up(US_EXIT_OTHER, "%s is no file and no directory", source);
		if (S_ISDIR(st.st_mode))
			us_package_tree(p, source, below);
		else
			us_package_copy(p, source, below, digest, &size);
	}
	(void)closedir(dir);
}
