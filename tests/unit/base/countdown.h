/*
 * Memory that runs out: link with -Wl,--wrap=malloc and so on (CMakeLists.txt). After
 * countdown(n) the next n allocations succeed and all further ones fail; countdown(-1): none fails.
 */
#ifndef US_TESTS_UNIT_BASE_COUNTDOWN_H
#define US_TESTS_UNIT_BASE_COUNTDOWN_H

void countdown(int allocations);

#endif
