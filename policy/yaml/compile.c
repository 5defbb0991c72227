#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "policy/yaml/tree.h"

int
us_order_compile(struct us_bytes source, struct us_buf *compiled, struct us_findings *findings)
{
	struct us_order *order = calloc(1, sizeof *order);
	struct us_yaml_node *root = NULL;
	int err;

	memset(findings, 0, sizeof *findings);
	err = order == NULL ? US_ERR_NOMEM : us_yaml_parse(source, &root, findings);
	if (err != US_OK)
		goto out;
	us_buf_init(&order->texts, 0);
	err = us_order_read(root, order, findings);
	if (err != US_OK)
		goto out;
	err = us_order_lint(order, root, findings);
	if (err != US_OK)
		goto out;
	if (findings->errors > 0) {
		err = US_ERR_FORMAT;
		goto out;
	}
	err = us_sha256(source.p, source.n, order->source_digest);
	if (err != US_OK)
		goto out;
	err = us_order_encode(order, compiled);
	if (err != US_OK && err != US_ERR_NOMEM && err != US_ERR_CRYPTO) {
		us_finding(findings, US_FINDING_ERROR, 0, 0, "the order as a whole: %s",
		    us_strerror(err));
		err = US_ERR_FORMAT;
	}
out:
	us_yaml_free(root);
	us_order_free(order);
	return err;
}
