#include "index/snippet.h"
