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
	case US_MSG_status_request:
		return us_msg_status_request_encode(b, &r->u.status_request);
	case US_MSG_challenge_request:
		return us_msg_challenge_request_encode(b, &r->u.challenge_request);
	case US_MSG_session_request:
		return us_msg_session_request_encode(b, &r->u.session_request);
	case US_MSG_share_request:
		return us_msg_share_request_encode(b, &r->u.share_request);
	case US_MSG_act_request:
		return us_msg_act_request_encode(b, &r->u.act_request);
	case US_MSG_list_request:
		return us_msg_list_request_encode(b, &r->u.list_request);
	case US_MSG_search_request:
		return us_msg_search_request_encode(b, &r->u.search_request);
	case US_MSG_read_request:
		return us_msg_read_request_encode(b, &r->u.read_request);
	case US_MSG_load_open_request:
		return us_msg_load_open_request_encode(b, &r->u.load_open_request);
	case US_MSG_load_end_request:
		return us_msg_load_end_request_encode(b, &r->u.load_end_request);
	case US_MSG_load_ticket_request:
		return us_msg_load_ticket_request_encode(b, &r->u.load_ticket_request);
	case US_MSG_cosign_request:
		return us_msg_cosign_request_encode(b, &r->u.cosign_request);
	case US_MSG_log_request:
		return us_msg_log_request_encode(b, &r->u.log_request);
	case US_MSG_log_keys_request:
		return us_msg_log_keys_request_encode(b, &r->u.log_keys_request);
	case US_MSG_question_request:
		return us_msg_question_request_encode(b, &r->u.question_request);
	case US_MSG_part:
		return us_msg_part_encode(b, &r->u.part);
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
