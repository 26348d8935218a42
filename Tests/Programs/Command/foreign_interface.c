// A function by the name that FUNCTION says, defined here or elsewhere, and a program that calls
// it.
#ifdef DEFINES
void *FUNCTION(void) { return (void *)0; }
#else
void *FUNCTION(void);
#endif

#ifdef CALLS
int main(void) { return FUNCTION() != (void *)0; }
#endif
