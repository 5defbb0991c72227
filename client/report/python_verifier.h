/* tests/independent/verify_log.py, as this program was built with it: it shares no code with us,
 * and wants nothing but Python's standard library. */
#ifndef US_CLIENT_REPORT_PYTHON_VERIFIER_H
#define US_CLIENT_REPORT_PYTHON_VERIFIER_H

#include <stddef.h>

extern const unsigned char us_python_verifier[];
extern const size_t us_python_verifier_size;

#endif
