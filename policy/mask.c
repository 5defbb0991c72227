#include "policy/mask.h"

#include "base/err.h"

const char *
us_identifier_name(unsigned identifier)
{
	static const char *const NAMES[US_IDENTIFIERS] = {
#define X(name, number, text) [number] = text,
		US_IDENTIFIER_LIST(X)
#undef X
	};

	return identifier < US_IDENTIFIERS ? NAMES[identifier] : NULL;
}

int
us_identifier_of(enum us_identifier *out, struct us_bytes name)
{
	for (unsigned i = 0; i < US_IDENTIFIERS; i++) {
		if (us_bytes_is(name, us_identifier_name(i))) {
			*out = (enum us_identifier)i;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
}

const char *
us_mask_field_name(unsigned field)
{
	switch (field) {
	case US_MASK_ID:
		return "id";
	case US_MASK_CREATED:
		return "created";
	case US_MASK_MODEL:
		return "model";
	case US_MASK_LANGUAGE:
		return "language";
	default:
		return NULL;
	}
}

int
us_mask_field_of(enum us_mask_field *out, struct us_bytes name)
{
	for (unsigned bit = 1; bit <= US_MASK_FIELDS_ALL; bit <<= 1) {
		if (us_bytes_is(name, us_mask_field_name(bit))) {
			*out = (enum us_mask_field)bit;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
}
