#include "daemon/process/messages.h"

#include <string.h>

#include "base/err.h"

#define E_U8(f) \
	if (err == US_OK) \
		err = us_buf_put_u8(b, m->f);
#define E_U16(f) \
	if (err == US_OK) \
		err = us_buf_put_u16(b, m->f);
#define E_U32(f) \
	if (err == US_OK) \
		err = us_buf_put_u32(b, m->f);
#define E_U64(f) \
	if (err == US_OK) \
		err = us_buf_put_u64(b, m->f);
#define E_I64(f) \
	if (err == US_OK) \
		err = us_buf_put_u64(b, (uint64_t)m->f);
#define E_FIX(f, size) \
	if (err == US_OK) \
		err = us_buf_put(b, m->f, size);
#define E_BYTES(f, limit) \
	if (err == US_OK) \
		err = m->f.n > (limit) ? US_ERR_LIMIT : us_buf_put_str32(b, m->f.p, m->f.n);

#define D_U8(f) m->f = us_take_u8(&r);
#define D_U16(f) m->f = us_take_u16(&r);
#define D_U32(f) m->f = us_take_u32(&r);
#define D_U64(f) m->f = us_take_u64(&r);
#define D_I64(f) m->f = (int64_t)us_take_u64(&r);
#define D_FIX(f, size) us_take_into(&r, m->f, size);
#define D_BYTES(f, limit) m->f = us_take_str32(&r, limit);

#define X(name, number, from, to, max) \
	int us_msg_##name##_encode(struct us_buf *b, const struct us_msg_##name *m) \
	{ \
		size_t start = b->len; \
		int err = US_OK; \
		US_FIELDS_##name(E_U8, E_U16, E_U32, E_U64, E_I64, E_FIX, \
		    E_BYTES) if (err == US_OK && b->len - start > (max)) err = US_ERR_LIMIT; \
		if (err != US_OK) \
			b->len = start; \
		return err; \
	} \
	int us_msg_##name##_decode(struct us_msg_##name *m, const void *p, size_t n) \
	{ \
		struct us_reader r; \
		int err; \
		us_reader_init(&r, p, n); \
		if (n > (max)) \
			us_reader_fail(&r, US_ERR_LIMIT); \
		US_FIELDS_##name(D_U8, D_U16, D_U32, D_U64, D_I64, D_FIX, D_BYTES) \
		    err = us_reader_end(&r); \
		if (err != US_OK) \
			memset(m, 0, sizeof *m); \
		return err == US_OK ? US_OK : US_ERR_MALFORMED; \
	}
US_MESSAGES(X)
#undef X

int
us_msg_info(uint16_t type, struct us_msg_info *info)
{
	switch (type) {
#define X(name, number, from, to, max) \
	case number: \
		*info = (struct us_msg_info){ #name, US_ROLE_##from, US_ROLE_##to, max }; \
		return 1;
		US_MESSAGES(X)
#undef X
	default:
		return 0;
	}
}

const char *
us_msg_name(uint16_t type)
{
	struct us_msg_info info;

	return us_msg_info(type, &info) ? info.name : "unknown";
}

void
us_frame_header(uint8_t out[US_FRAME_HEADER], uint16_t type, uint32_t tag, uint32_t n)
{
	us_store_u32(out, n);
	us_store_u16(out + 4, type);
	us_store_u16(out + 6, 0);
	us_store_u32(out + 8, tag);
}

int
us_msg_check(uint16_t type, const void *p, size_t n)
{
	switch (type) {
#define X(name, number, from, to, max) \
	case number: { \
		struct us_msg_##name m; \
		return us_msg_##name##_decode(&m, p, n); \
	}
		US_MESSAGES(X)
#undef X
	default:
		return US_ERR_MALFORMED;
	}
}

const char *
us_role_name(enum us_role role)
{
	switch (role) {
	case US_ROLE_ANY:
		return "any";
	case US_ROLE_FRONT:
		return "front";
	case US_ROLE_INTAKE:
		return "intake";
	case US_ROLE_SEALER:
		return "sealer";
	case US_ROLE_VAULT:
		return "vault";
	case US_ROLE_KEEPER:
		return "keeper";
	case US_ROLE_MONITOR:
		return "monitor";
	}
	return "unknown";
}
