#include "daemon/vault/request/decode.h"

#include <string.h>

#include "base/err.h"

/* Credential and address stand at the head of every request (US_WHO). */
static int
take_who(struct us_vault_request *r)
{
	struct us_reader in;
	struct us_bytes peer;

	us_reader_init(&in, r->body.data, r->body.len);
	us_take_into(&in, r->who.credential, sizeof r->who.credential);
	peer = us_take_str32(&in, sizeof r->who.peer);
	if (in.err != US_OK)
		return US_ERR_MALFORMED;
	if (peer.n > 0)
		memcpy(r->who.peer, peer.p, peer.n);
	r->who.peer_n = peer.n;
	return US_OK;
}

static int
decode(struct us_vault_request *r, const struct us_request_info *info)
{
	const uint8_t *p = r->body.data;
	const size_t n = r->body.len;

	switch (info->kind) {
	case US_REQUEST_status_request:
	case US_REQUEST_challenge_request:
		return us_msg_check(info->type, p, n);
	case US_REQUEST_session_request:
	case US_REQUEST_share_request:
	case US_REQUEST_cosign_request:
		return us_msg_check(r->kind->forward, p, n);
	case US_REQUEST_act_request:
		return us_msg_act_request_decode(&r->q.act, p, n);
	case US_REQUEST_list_request:
		return us_msg_list_request_decode(&r->q.list, p, n);
	case US_REQUEST_question_request:
		return us_msg_question_request_decode(&r->q.question, p, n);
	case US_REQUEST_search_request:
		return us_msg_search_request_decode(&r->q.search, p, n);
	case US_REQUEST_read_request:
		return us_msg_read_request_decode(&r->q.read, p, n);
	case US_REQUEST_load_open_request:
		return us_msg_load_open_request_decode(&r->q.load_open, p, n);
	case US_REQUEST_load_end_request:
		return us_msg_load_end_request_decode(&r->q.load_end, p, n);
	case US_REQUEST_load_ticket_request:
		return us_msg_load_ticket_request_decode(&r->q.load_ticket, p, n);
	case US_REQUEST_log_request:
		return us_msg_log_request_decode(&r->q.log, p, n);
	case US_REQUEST_log_keys_request:
		return us_msg_log_keys_request_decode(&r->q.log_keys, p, n);
	case US_REQUEST_part:
		break; /* goes to intakes */
	}
	return US_ERR_MALFORMED;
}

int
us_vault_decode(struct us_vault_request *r, const struct us_request_info *info)
{
	const int err = decode(r, info);

	return err != US_OK ? err : take_who(r);
}
