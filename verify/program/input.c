#include "verify/program/input.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

int
us_program_input_read(const char *path, const char *what, struct us_buf *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint8_t block[16384];
	size_t n;
	int err = f == NULL ? US_ERR_IO : US_OK;

	while (err == US_OK && (n = fread(block, 1, sizeof block, f)) > 0)
		err = us_buf_put(out, block, n);
	if (err == US_OK && ferror(f))
		err = US_ERR_IO;
	if (f != NULL && f != stdin)
		(void)fclose(f);
	if (err != US_OK)
		us_log_err(err, "%s: %s cannot be read", path, what);
	return err;
}

int
us_program_input_vkey(const char *path, struct us_buf *out)
{
	int err = us_program_input_read(path, "the key", out);

	if (err == US_OK && (out->len == 0 || memchr(out->data, '\0', out->len) != NULL)) {
		err = US_ERR_FORMAT;
		us_log_err(err, "%s: this is no key", path);
	}
	return err == US_OK && us_buf_cstr(out) == NULL ? US_ERR_NOMEM : err;
}

int
us_program_input_policy(const char *path, struct us_tlog_policy **out)
{
	struct us_tlog_policy_error error = { .line = 0, .what = "" };
	struct us_buf text;
	int err;

	*out = NULL;
	us_buf_init(&text, US_TLOG_POLICY_MAX);
	err = us_program_input_read(path, "the policy", &text);
	if (err == US_OK) {
		err = us_tlog_policy_parse(out, text.data, text.len, &error);
		if (err != US_OK)
			us_log(US_LOG_ERROR, "%s, line %u: %s", path, error.line, error.what);
	}
	us_buf_free(&text);
	return err;
}

int
us_program_input_authority(const char *path, struct us_authority **out)
{
	struct us_buf pem;
	int err;

	*out = NULL;
	us_buf_init(&pem, US_AUTHORITY_PEM_MAX);
	err = us_program_input_read(path, "the authority's certificates", &pem);
	if (err == US_OK) {
		err = us_authority_new(out, path, (struct us_bytes){ pem.data, pem.len });
		if (err != US_OK)
			us_log_err(err, "%s: there are no certificates (PEM), or one is malformed",
			    path);
	}
	us_buf_free(&pem);
	return err;
}
