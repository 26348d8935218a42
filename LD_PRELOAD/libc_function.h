/// Functions of libc that glibc before 2.34 has in libpthread and libdl, and later releases in
/// libc, under a newer version.
///
/// The shared object refers to none of them: a reference would tie it to the release that it was
/// built on, or to libraries that later releases load only to find them empty (a tenth of the time
/// that a small process takes). Nor would references to their old versions do: up to glibc 2.29 the
/// loader looks for a version in the library that had it when the shared object was linked, and no
/// further. LibcTests holds the result to it.
#ifndef PERCOLATE_LIBC_FUNCTION_H
#define PERCOLATE_LIBC_FUNCTION_H

/// dlsym(3). Where the process has no dlsym, before glibc 2.34 without libdl, it can load no
/// library either: then every library that was there at the start is searched, whatever the scope.
/// Not to be called inside malloc.
void *percolate_dlsym(void *scope, const char *name) __attribute__((visibility("hidden")));

/// The function of libc, or of a library between this one and libc that takes its place. NULL where
/// there is none.
#define PERCOLATE_NEXT(function) ((__typeof__(&function))percolate_dlsym(RTLD_NEXT, #function))

#endif
