/*
 * A JSON writer into a struct us_buf (RFC 8259). Commas and nesting are kept by the writer; the
 * first failure sticks, so that a document is a straight list of calls and one us_json_end().
 *
 *   struct us_json j;
 *   us_json_begin(&j, &buf);
 *   us_json_object(&j);
 *   us_json_key(&j, "total"); us_json_uint(&j, 3);
 *   us_json_kv_str(&j, "bates", us_bytes_of("DEMO000000001"));
 *   us_json_close(&j);
 *   err = us_json_end(&j);
 *
 * Strings must be UTF-8 (US_ERR_ENCODING); control characters, quotes, backslashes, DEL, U+2028 and
 * U+2029 are escaped. Misuse (a value without a key, too many closes) is US_ERR_STATE. One owner.
 */
#ifndef US_BASE_JSON_OUT_H
#define US_BASE_JSON_OUT_H

#include "base/buf.h"

#define US_JSON_DEPTH_MAX 32

struct us_json {
	struct us_buf *b;
	int err;
	unsigned depth;
	uint8_t in_object[US_JSON_DEPTH_MAX];
	uint8_t has_items[US_JSON_DEPTH_MAX];
	uint8_t after_key;
	uint8_t done; /* a top-level value has been written */
};

/* Begins a document that is appended to b, which must outlive it. */
void us_json_begin(struct us_json *j, struct us_buf *b);
/* What was to be written next could not be made, for err: us_json_end() says so. */
void us_json_fail(struct us_json *j, int err);
/* US_OK if everything is closed and nothing failed. */
int us_json_end(struct us_json *j);
/* Opens an object, which us_json_close() closes. */
void us_json_object(struct us_json *j);
/* Opens an array, which us_json_close() closes. */
void us_json_array(struct us_json *j);
/* Closes the innermost object or array. */
void us_json_close(struct us_json *j);
/* The name of the next member; ASCII or UTF-8, ended by NUL. Only inside an object. */
void us_json_key(struct us_json *j, const char *key);
/* A string; s must be UTF-8, else us_json_end() says US_ERR_ENCODING. */
void us_json_str(struct us_json *j, struct us_bytes s);
void us_json_cstr(struct us_json *j, const char *s); /* NULL: null */
/* A whole number. */
void us_json_int(struct us_json *j, int64_t v);
/* A whole number. */
void us_json_uint(struct us_json *j, uint64_t v);
/* true if v is not 0, else false. */
void us_json_bool(struct us_json *j, int v);
/* null. */
void us_json_null(struct us_json *j);
/* n bytes as a string of lower-case hexadecimal digits. */
void us_json_hex(struct us_json *j, const void *p, size_t n);
/* n bytes as a string of padded base64. */
void us_json_base64(struct us_json *j, const void *p, size_t n);
void us_json_time(struct us_json *j, int64_t ns); /* RFC 3339 */

/* Key and value in one. */
void us_json_kv_str(struct us_json *j, const char *key, struct us_bytes s);
/* us_json_key() and us_json_cstr(). */
void us_json_kv_cstr(struct us_json *j, const char *key, const char *s);
/* us_json_key() and us_json_int(). */
void us_json_kv_int(struct us_json *j, const char *key, int64_t v);
/* us_json_key() and us_json_uint(). */
void us_json_kv_uint(struct us_json *j, const char *key, uint64_t v);
/* us_json_key() and us_json_bool(). */
void us_json_kv_bool(struct us_json *j, const char *key, int v);
/* us_json_key() and us_json_hex(). */
void us_json_kv_hex(struct us_json *j, const char *key, const void *p, size_t n);
/* us_json_key() and us_json_time(). */
void us_json_kv_time(struct us_json *j, const char *key, int64_t ns);

/* Appends s as a JSON string with its quotes. */
int us_json_put_string(struct us_buf *b, struct us_bytes s);

#endif
