// The C harness of the API tests, for C++.
#pragma once

// Before the C linkage: what has templates or overloads in it.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

extern "C" {
#include "containers.h"
}
