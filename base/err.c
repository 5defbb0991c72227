#include "base/err.h"

const char *
us_strerror(int err)
{
	switch ((enum us_err)err) {
	case US_OK:
		return "done";
	case US_ERR_NOMEM:
		return "out of memory";
	case US_ERR_ARG:
		return "invalid argument";
	case US_ERR_TRUNCATED:
		return "ends too early";
	case US_ERR_TRAILING:
		return "has bytes left over at its end";
	case US_ERR_FORMAT:
		return "is not of the expected form";
	case US_ERR_LIMIT:
		return "is larger than its limit";
	case US_ERR_RANGE:
		return "number out of range";
	case US_ERR_CRYPTO:
		return "the cryptographic library failed";
	case US_ERR_AUTH:
		return "seal does not open";
	case US_ERR_COMMITMENT:
		return "key is not the one committed to";
	case US_ERR_SIGNATURE:
		return "signature does not verify";
	case US_ERR_VERIFY:
		return "verification failed";
	case US_ERR_INCOMPLETE:
		return "incomplete";
	case US_ERR_NOT_FOUND:
		return "not found";
	case US_ERR_EXISTS:
		return "exists already";
	case US_ERR_DENIED:
		return "refused";
	case US_ERR_SEALED:
		return "the vault is sealed";
	case US_ERR_EXPIRED:
		return "expired";
	case US_ERR_NOT_YET:
		return "not yet valid";
	case US_ERR_REVOKED:
		return "revoked";
	case US_ERR_SUSPENDED:
		return "suspended";
	case US_ERR_STATE:
		return "not possible in the present state";
	case US_ERR_PENDING:
		return "accepted, waiting for signatures";
	case US_ERR_BUSY:
		return "busy, try again";
	case US_ERR_CLOSED:
		return "the other side is gone";
	case US_ERR_IO:
		return "input or output failed";
	case US_ERR_NOSPACE:
		return "no space left on the disk";
	case US_ERR_SHARE:
		return "key share is wrong";
	case US_ERR_ENCODING:
		return "is not valid UTF-8, or has characters that may not stand there";
	case US_ERR_INTERNAL:
		return "internal error";
	case US_ERR_FULL:
		return "the channel to another process is full";
	case US_ERR_MALFORMED:
		return "is not what that process may send";
	case US_ERR__COUNT:
		break;
	}
	return "unknown error";
}

enum us_blame
us_err_blame(int err)
{
	switch (err) {
	case US_ERR_MALFORMED:
		return US_BLAME_PEER;
	case US_ERR_NOMEM:
		return US_BLAME_MEMORY;
	case US_ERR_FULL:
		return US_BLAME_SENDING;
	default:
		return US_BLAME_OURS;
	}
}
