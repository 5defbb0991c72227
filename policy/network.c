/* Network prefixes and addresses as text. */
#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "policy/calendar.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* family: set to AF_INET or AF_INET6 */
static int
parse_address(uint8_t out[16], const uint8_t *p, size_t n, int *family)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];

	if (n == 0 || n >= sizeof text || memchr(p, 0, n) != NULL)
		return US_ERR_FORMAT;
	memcpy(text, p, n);
	text[n] = 0;
	if (inet_pton(AF_INET, text, address + 12) == 1) {
		memcpy(address, mapped, sizeof mapped);
		*family = AF_INET;
	} else if (inet_pton(AF_INET6, text, address) == 1) {
		*family = AF_INET6;
	} else {
		return US_ERR_FORMAT;
	}
	memcpy(out, address, 16);
	return US_OK;
}

int
us_network_parse(struct us_network *out, struct us_bytes text)
{
	const uint8_t *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
	size_t n = slash != NULL ? (size_t)(slash - text.p) : text.n;
	struct us_network network;
	uint64_t bits;
	int family, err;

	if ((err = parse_address(network.address, text.p, n, &family)) != US_OK)
		return err;
	unsigned max = family == AF_INET ? 32 : 128;
	bits = max;
	if (slash != NULL &&
	    (err = us_number_parse(slash + 1, text.n - n - 1, max, &bits)) != US_OK)
		return err;
	network.bits = (uint8_t)(bits + 128 - max);
	for (unsigned i = network.bits; i < 128; i++)
		if (network.address[i / 8] >> (7 - i % 8) & 1)
			return US_ERR_RANGE;
	*out = network;
	return US_OK;
}

int
us_address_parse(uint8_t out[16], struct us_bytes text)
{
	const uint8_t *end, *port = NULL;
	size_t port_n = 0;
	uint64_t number;
	int family, err;

	if (text.n == 0)
		return US_ERR_FORMAT;
	int bracket = text.p[0] == '[';
	const uint8_t *start = text.p + bracket;
	size_t left = text.n - (size_t)bracket;
	size_t n = left;
	if (bracket) {
		if ((end = memchr(start, ']', left)) == NULL)
			return US_ERR_FORMAT;
		n = (size_t)(end - start);
		if (left - n > 1) {
			if (end[1] != ':')
				return US_ERR_FORMAT;
			port = end + 2;
			port_n = left - n - 2;
		}
	} else if ((end = memchr(start, ':', left)) != NULL &&
	    /* one colon: IPv4 and a port */
	    memchr(end + 1, ':', left - (size_t)(end + 1 - start)) == NULL) {
		n = (size_t)(end - start);
		port = end + 1;
		port_n = left - n - 1;
	}
	if (port != NULL && us_number_parse(port, port_n, 65535, &number) != US_OK)
		return US_ERR_FORMAT;
	uint8_t address[16];
	if ((err = parse_address(address, start, n, &family)) != US_OK)
		return err;
	if (bracket && family != AF_INET6)
		return US_ERR_FORMAT;
	memcpy(out, address, 16);
	return US_OK;
}

int
us_network_has(const struct us_network *network, const uint8_t address[16])
{
	unsigned whole = network->bits / 8u, rest = network->bits % 8u;

	if (whole > 0 && memcmp(network->address, address, whole) != 0)
		return 0;
	return rest == 0 || (network->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}
