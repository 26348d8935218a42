__attribute__((visibility("default"))) int foo(void) { return 0; }
