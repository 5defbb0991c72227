/* What is on its way to the client: written at once where the socket takes it, kept where not. */
#include <string.h>

#include <openssl/err.h>

#include "base/err.h"
#include "daemon/front/front_internal.h"

size_t
us_conn_out_left(const struct us_conn *c)
{
	return c->out.len - c->out_at;
}

/* Writes once. US_OK: *taken bytes are gone, possibly none; else the connection is beyond help. */
static int
write_some(struct us_conn *c, const uint8_t *p, size_t n, size_t *taken)
{
	int rc;

	*taken = 0;
	ERR_clear_error();
	rc = SSL_write_ex(c->ssl, p, n, taken);
	if (rc == 1)
		return US_OK;
	*taken = 0;
	rc = SSL_get_error(c->ssl, rc);
	/* SSL_ERROR_WANT_READ cannot be: TLS 1.3 does not renegotiate */
	return rc == SSL_ERROR_WANT_WRITE ? US_OK : US_ERR_CLOSED;
}

int
us_conn_out_flush(struct us_conn *c)
{
	size_t taken;

	while (us_conn_out_left(c) > 0) {
		if (write_some(c, c->out.data + c->out_at, us_conn_out_left(c), &taken) != US_OK)
			return US_ERR_CLOSED;
		if (taken == 0) {
			(void)event_add(c->write_event, NULL);
			return us_conn_charge_unread(c);
		}
		c->out_at += taken;
		us_conn_heard(c);
		c->deadline = c->front->now + US_STALL_SECONDS;
	}
	us_buf_free(&c->out); /* evidence does not stay behind */
	c->out_at = 0;
	return us_conn_charge_unread(c);
}

/* Keeps all but the first skip bytes. US_ERR_LIMIT: the vault went beyond its window. */
static int
queue(struct us_conn *c, const struct us_bytes *parts, size_t n, size_t skip)
{
	size_t total = 0;
	int err;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	if (c->out_at > 0) {
		us_buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
	err = us_buf_reserve(&c->out, total - skip, NULL);
	if (err != US_OK)
		return err;
	for (size_t i = 0; i < n; i++) {
		size_t off = skip < parts[i].n ? skip : parts[i].n;

		skip -= off;
		(void)us_buf_put(&c->out, parts[i].p + off, parts[i].n - off);
	}
	c->deadline = c->front->now + US_STALL_SECONDS;
	return US_OK;
}

int
us_conn_out_send(struct us_conn *c, const struct us_bytes *parts, size_t n)
{
	struct us_front *f = c->front;
	size_t total = 0, taken = 0;
	int err = US_OK;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	if (us_conn_out_left(c) == 0 && total <= sizeof f->small) {
		total = 0;
		for (size_t i = 0; i < n; i++) {
			if (parts[i].n != 0)
				memcpy(f->small + total, parts[i].p, parts[i].n);
			total += parts[i].n;
		}
		err = write_some(c, f->small, total, &taken);
		us_wipe(f->small, total);
		if (err != US_OK || taken == total)
			return err;
	}
	err = queue(c, parts, n, taken);
	return err != US_OK ? err : us_conn_out_flush(c);
}
