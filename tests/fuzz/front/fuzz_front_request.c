/* The bytes of a connection → typed requests, and each of them through its encoder: whatever the
 * decoder lets through must fit its message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/front/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
encode(const struct us_request *r, struct us_buf *b)
{
	switch (r->type) {
#define X(message, to, action, sealed, needs) \
	case US_MSG_##message: \
		return us_msg_##message##_encode(b, &r->u.message);
		US_REQUESTS(X)
#undef X
	default:
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct us_who who = { { 1 }, { (const uint8_t *)"[::1]:1", 7 } };
	struct us_route *route = calloc(1, sizeof *route);
	struct us_buf arena, body;

	us_buf_init(&arena, US_REQUEST_ARENA);
	us_buf_init(&body, 8u << 20);
	while (route != NULL && size > 0) {
		struct us_http_scan scan = { 0, 0 };
		struct us_http_head head;
		struct us_problem problem;
		struct us_request request;
		size_t end;

		if (us_http_scan(&scan, data, size, &end) != US_OK ||
		    us_request_head(data, end, &head, route, &problem) != 0 ||
		    route->body_n > size - end)
			break;
		if (us_request_decode(route, (struct us_bytes){ data + end, route->body_n }, &who,
			&arena, &request, &problem) == 0) {
			us_buf_reset(&body);
			if (encode(&request, &body) != US_OK ||
			    us_msg_check(request.type, body.data, body.len) != US_OK)
				abort();
		} else if (problem.status < 400 || problem.type == NULL || problem.detail == NULL)
			abort();
		data += end + route->body_n;
		size -= end + route->body_n;
	}
	us_buf_free(&arena);
	us_buf_free(&body);
	free(route);
	return 0;
}
