#include "query/words.h"
