/// Finds what some releases of libc do not have, or have in another library.
#ifndef PERCOLATE_LOADED_SYMBOL_H
#define PERCOLATE_LOADED_SYMBOL_H

#include "layout.h"

/// The address of the data or function `name` in a loaded library: in the one whose file is called
/// `library`, or where that is NULL in the first that has it, this one apart. NULL where there is
/// none.
///
/// A reference in the code carries the version that the symbol has in the libc of the machine that
/// builds, even when it is weak, and an older libc then refuses the whole shared object. dlsym(3)
/// is such a symbol itself, and it allocates where it finds nothing, while start-up runs inside
/// malloc. This reads the list that the loader keeps for debuggers (<link.h>) and the libraries'
/// own tables. No lock, no allocation.
///
/// A library that dlclose(3) takes away meanwhile must not come before the one that is looked for:
/// libc itself is among those that are loaded at start and stay.
const void *percolate_loaded_symbol(const char *name, const char *library) PERCOLATE_HIDDEN;

#endif
