#include "index/doc.h"
