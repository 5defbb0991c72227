#include "daemon/process/messages.h"

const char *
us_msg_name(uint16_t type)
{
	struct us_msg_info info;

	return us_msg_info(type, &info) ? info.name : "unknown";
}

int
us_msg_may_go(const struct us_msg_info *info, enum us_role from, enum us_role to)
{
	if (info->hand_on != US_ROLE_ANY && from == info->to && to == info->hand_on)
		return 1;
	return (info->from == US_ROLE_ANY || info->from == from) &&
	    (info->to == US_ROLE_ANY || info->to == to);
}

void
us_frame_header(uint8_t out[US_FRAME_HEADER], uint16_t type, uint32_t tag, uint32_t n)
{
	us_store_u32(out, n);
	us_store_u16(out + 4, type);
	us_store_u16(out + 6, 0);
	us_store_u32(out + 8, tag);
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
