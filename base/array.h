/* Arrays whose length the compiler knows. */
#ifndef US_BASE_ARRAY_H
#define US_BASE_ARRAY_H

/* How many elements a has, which is an array and no pointer: a constant. a is not evaluated. */
#define US_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
