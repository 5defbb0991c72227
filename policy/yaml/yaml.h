/*
 * The YAML form of an order: schema/order.schema.json, policy/orders/ for examples. Reads untrusted
 * text (libyaml): only intake, client and `undersealed init` before it has keys run it; keyed
 * processes read the compiled form (policy/order.h).
 *
 * Strict: unknown and repeated keys, empty lists, anchors, aliases, tags, a second document are
 * errors; at most US_ORDER_SOURCE_MAX bytes, depth 8. Scalars are text; numbers are decimal without
 * sign.
 */
#ifndef US_POLICY_YAML_YAML_H
#define US_POLICY_YAML_YAML_H

#include "policy/order.h"

enum us_severity { US_FINDING_ERROR, US_FINDING_WARNING };

struct us_finding {
	enum us_severity severity;
	unsigned line;   /* counted from 1; 0: the order as a whole */
	unsigned column; /* counted from 1, in characters */
	char text[240];  /* a sentence without its full stop, printable */
};

#define US_FINDINGS_MAX 64 /* more are counted, not kept */

struct us_findings {
	size_t n;      /* kept */
	size_t errors; /* all */
	size_t warnings;
	struct us_finding items[US_FINDINGS_MAX];
};

/* Parses, lints and compiles. compiled: the bytes are appended if there is no error. US_OK, also
 * with warnings; US_ERR_FORMAT if there are errors (all that were found are in findings);
 * US_ERR_NOMEM. */
int us_order_compile(struct us_bytes source, struct us_buf *compiled, struct us_findings *findings);

#endif
