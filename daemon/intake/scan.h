/* What yajl does not tell, or does not check: a pass over a line's bytes before it is parsed. */
#ifndef US_DAEMON_INTAKE_SCAN_H
#define US_DAEMON_INTAKE_SCAN_H

#include "evidence/batch/defect.h"
#include "base/buf.h"

/* UTF-8, control characters within strings and without, surrogate escapes, nesting depth.
 * US_DEFECT_NONE, or what is wrong. The grammar is the parser's. */
enum us_defect us_scan_line(struct us_bytes line, unsigned depth_max);

#endif
