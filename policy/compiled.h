/* What decoder and encoder of the compiled order share; for the files of this directory alone. */
#ifndef US_POLICY_COMPILED_H
#define US_POLICY_COMPILED_H

#include "policy/order.h"

#define US_ORDER_MAGIC "USO2"
#define US_RULE_FLAG_ANY_PARTY 1
#define US_RULE_FLAG_ANY_COLLECTION 2
#define US_RULE_FLAG_QUERY 4
/* a larger limit of neighbours is none (policy/usage.h looks no further) */
#define US_RUN_LIMIT 65536u

#endif
