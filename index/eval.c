#include "index/eval.h"
