/* What a native record may hold (native.h). */
#ifndef US_DAEMON_INTAKE_NATIVE_LIMITS_H
#define US_DAEMON_INTAKE_NATIVE_LIMITS_H

#include <stdint.h>

#define US_NATIVE_DEPTH_MAX 64
#define US_NATIVE_NO_TIME INT64_MIN

#endif
