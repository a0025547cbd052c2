/* A picture of the calling process, as text: all that a library could change of it and must not. */
#ifndef REAPER_TESTS_API_PICTURE_H
#define REAPER_TESTS_API_PICTURE_H

/* `children`: so many that are known and not shown. Yours to free. */
char *take_picture(int children);
/* Whether they differ; says what of it on standard error, unless pictures_are_quiet. */
int pictures_differ(const char *what, const char *before, const char *after);
extern int pictures_are_quiet;

#endif
