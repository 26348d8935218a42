#ifndef PERCOLATE_LINUX_CALLS_H
#define PERCOLATE_LINUX_CALLS_H

/// What the command needs of Linux and glibc that Swift's Glibc module does not give: variadic
/// functions, which Swift cannot call, and headers that the module leaves out. Nothing here is used
/// by the allocator.

#include <elf.h>
#include <gnu/libc-version.h>
#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char **environ;

/// The environment of this process, as `exec` and `posix_spawn` take it.
static inline char *_Nullable *_Nonnull linux_environment(void) { return environ; }

/// Asks the kernel for a registration that no kernel grants (no area, length 0). A kernel with
/// restartable sequences answers EINVAL whether or not the thread is registered, one without
/// answers ENOSYS, a filter answers as it likes.
static inline long linux_rseq_impossible_registration(void) { return syscall(SYS_rseq, 0L, 0L, 0L, 0L); }

static inline long linux_membarrier(int command) { return syscall(SYS_membarrier, (long)command, 0L, 0L); }

/// 1 when `exec` can no longer raise the privileges of this process, 0 when it can, -1 with errno
/// set.
static inline int linux_no_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L); }

/// The bytes of the rseq area that the kernel knows, 0 when it does not say (before Linux 6.3). The
/// entry is written as a number because older C libraries have no name for it.
static inline unsigned long linux_rseq_feature_size(void) { return getauxval(27); }

#endif
