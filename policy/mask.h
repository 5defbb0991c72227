/*
 * What an order can hide of a record that a person may read. This header says what; mask/ does it.
 */
#ifndef US_POLICY_MASK_H
#define US_POLICY_MASK_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Classes of identifiers: strings that single out a person, a machine or an account. They follow 45
 * CFR 164.514(b)(2)(i) where a string has a form that can be recognised. Numbers are stable: they
 * stand in compiled orders.
 *
 * X(CONSTANT, number, "name in orders and in marks")
 */
#define US_IDENTIFIER_LIST(X) \
	X(EMAIL, 0, "email")   /* RFC 5321 mailbox as people write it */ \
	X(PHONE, 1, "phone")   /* ITU-T E.164 with +, or North American; 7 to 15 digits */ \
	X(URL, 2, "url")       /* http, https, ftp, or www. */ \
	X(IP, 3, "ip")         /* IPv4 dotted quad, IPv6 */ \
	X(CARD, 4, "card")     /* 13 to 19 digits that pass ISO/IEC 7812-1 (Luhn) */ \
	X(IBAN, 5, "iban")     /* ISO 13616, check digits mod 97 */ \
	X(SSN, 6, "ssn")       /* NNN-NN-NNNN outside the ranges never given */ \
	X(NUMBER, 7, "number") /* any other 8 or more digits with single separators */

enum us_identifier {
#define X(name, number, text) US_IDENTIFIER_##name = number,
	US_IDENTIFIER_LIST(X)
#undef X
};
#define US_IDENTIFIERS 8
#define US_IDENTIFIERS_ALL 0xffu
#define US_IDENTIFIER_BIT(i) (1u << (unsigned)(i))

/* Static text, NULL for a number that is none. */
const char *us_identifier_name(unsigned identifier);
int us_identifier_of(enum us_identifier *out, struct us_bytes name); /* US_ERR_NOT_FOUND */

enum us_mask_field { US_MASK_ID = 1, US_MASK_CREATED = 2, US_MASK_MODEL = 4, US_MASK_LANGUAGE = 8 };
#define US_MASK_FIELDS_ALL 15
/* "id", "created", "model", "language" of a single bit; NULL for none. */
const char *us_mask_field_name(unsigned field);
/* The field with that name; US_ERR_NOT_FOUND and *out untouched otherwise. */
int us_mask_field_of(enum us_mask_field *out, struct us_bytes name);

/* What is masked. All zero: nothing. The union of two masks is the or of their members. */
struct us_mask {
	uint8_t identifiers;  /* US_IDENTIFIER_BIT()s */
	uint8_t roles;        /* bit r (1 .. 4): messages of role r, enum us_message_role */
	uint8_t fields;       /* enum us_mask_field */
	uint8_t except_match; /* 1: of contents only what matches the query is shown */
};
#define US_MASK_ROLES_ALL 0x1eu

static inline int
us_mask_is_empty(const struct us_mask *m)
{
	return m->identifiers == 0 && m->roles == 0 && m->fields == 0 && m->except_match == 0;
}
/* 1 if a search under this mask must be checked against the masked text. */
static inline int
us_mask_hides_text(const struct us_mask *m)
{
	return m->identifiers != 0 || m->roles != 0;
}
static inline void
us_mask_add(struct us_mask *to, const struct us_mask *m)
{
	to->identifiers |= m->identifiers;
	to->roles |= m->roles;
	to->fields |= m->fields;
	to->except_match |= m->except_match;
}

#endif
