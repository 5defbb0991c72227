/* The texts of a backup: its label, a keyring's copy, names of members. What is read has one
 * form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/offline/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const struct us_buf *out, int err, const uint8_t *p, size_t n)
{
	if (err != US_OK || out->len != n || memcmp(out->data, p, n) != 0)
		abort();
}

/* Nothing that leads out of the directory is a member's name. */
static void
name(const uint8_t *data, size_t size)
{
	char text[256];

	if (size >= sizeof text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (us_backup_member_max(text) > 0 &&
	    (text[0] == '/' || strstr(text, "..") != NULL || strstr(text, "//") != NULL ||
		strcmp(text, "keeper/keyring") == 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct us_bytes text = { data, size };
	struct us_backup_label label;
	struct us_bytes keyring;
	struct us_buf out;

	us_buf_init(&out, size + 4096);
	if (us_backup_label_parse(&label, text) == US_OK)
		same(&out, us_backup_label_put(&out, &label), data, size);
	us_buf_reset(&out);
	if (us_keyring_copy_parse(&label, &keyring, text) == US_OK)
		same(&out, us_keyring_copy_put(&out, &label, keyring), data, size);
	us_buf_free(&out);
	name(data, size);
	return 0;
}
