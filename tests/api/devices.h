/* Network devices, which ip(8) makes in a network namespace of the test's own. */
#ifndef REAPER_TESTS_API_DEVICES_H
#define REAPER_TESTS_API_DEVICES_H

/* Where ip(8) is, or NULL. */
const char *ip_program(void);
/* "ip ..."; 0: done. */
int ip(const char *arguments);

#endif
