/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that must not compile (included by the build before every file): unbounded, racy or not reentrant. */
#pragma once
#include <pwd.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang's headers make macros of some of them, which cannot be poisoned: gcc alone watches. */
#ifndef __clang__
#pragma GCC poison strcpy strcat sprintf vsprintf strtok strncpy strncat gmtime localtime ctime asctime mktemp tmpnam
#pragma GCC poison system popen gets getpwnam getpwuid getgrnam getgrgid
#endif
