/* One run of the client, as all that works for it sees it. */
#ifndef US_CLIENT_CORE_RUN_H
#define US_CLIENT_CORE_RUN_H

#include "client/core/http.h"
#include "client/core/profile.h"

struct us_proofs;
struct us_named;

struct us_client {
	const char *profile_directory;
	int json;
	int yes; /* sign without being asked */
	int has_profile;
	struct us_profile profile; /* opened by the first us_client_profile() */
	struct us_http *http;
	int told_waiting; /* what waits in the docket and is to be given back was said */
	int told_end;     /* and that the certificate ends soon */
	/* Holds the answer to a request against the log, before anybody sees it. seen: how many
	 * entries of the log were known when it was asked. client/log/answered.h */
	int (*check)(struct us_client *client, const struct us_client_request *request,
	    const struct us_reply *reply, uint64_t seen);
	uint64_t (*seen)(struct us_client *client, const struct us_client_request *request);
	struct us_named *named;   /* what numbers are called, client/core/named.h */
	struct us_proofs *proofs; /* what of the log is believed, client/log/proofs.h; or NULL */
};

#endif
