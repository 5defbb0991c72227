/* Requests, certificates, keys and PEM from strangers: whatever parses must parse again the
 * same. */
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_bytes in = { data, size };
	struct us_cert_info info;
	struct us_csr_info csr;
	struct us_buf out;

	us_buf_init(&out, 1 << 17);
	if (us_csr_check(in, &csr) == US_OK && strlen(csr.name) > US_CERT_NAME_MAX)
		abort();
	if (us_cert_parse(in, &info) == US_OK && strlen(info.name) > US_CERT_NAME_MAX)
		abort();
	if (us_cert_verify(in, in, US_CERT_CLIENT, 0) == US_OK)
		abort(); /* nothing is both a CA and a client */
	if (us_pem_decode(in, "CERTIFICATE", &out) == US_OK)
		(void)us_cert_parse((struct us_bytes){ out.data, out.len }, &info);
	us_buf_free(&out);
	return 0;
}
