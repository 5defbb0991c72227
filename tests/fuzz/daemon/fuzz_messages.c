/* Any bytes as the body of any message between roles: two bytes of type, then the body. */
#include <stdint.h>

#include "base/buf.h"
#include "daemon/process/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2)
		(void)us_msg_check(us_load_u16(data), data + 2, size - 2);
	return 0;
}
