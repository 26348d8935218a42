/*
 * The gate of one CPU: restartable sequences that load it, a holder that closes it from another CPU by store and fence, a
 * holder that closes it from the CPU itself by a sequence whose only store is the closed value, and a fork.
 *
 * What is kept of the machine:
 *   - one thread at a time runs on the CPU; a thread that is switched out or in, or migrates, while in a sequence aborts;
 *   - the fence aborts the sequence of the thread that runs on the CPU now, if it is in one; it does nothing to others,
 *     whose switch has done it;
 *   - a store to the gate waits in the store buffer of its thread until the fence, a context switch, the unlocking (a
 *     release) or chance lets it out. The thread itself sees it at once.
 *
 * What is shown: no sequence commits while a holder works, no update is lost, and a fork copies an open gate and a slab
 * that no one is halfway through.
 *
 * Each definition takes one part of the protocol away, and must make the checker find an error:
 *   NO_FENCE, NO_LOCK, WRONG_OPEN (the gate opens before the holder's last store), FENCE_BEFORE_CLOSE,
 *   CLOSE_WITHOUT_SEQUENCE (the CPU's own holder checks where it runs and then stores plainly), FORK_WITHOUT_LOCK.
 */

#define SEQUENCES 2
#define LOCAL_HOLDER 2
#define REMOTE_HOLDER 3
#define FORKER 4
#define THREADS 5
#define SCHEDULED 3          /* the sequences and the local holder: the others run elsewhere for good */
#define NOBODY 7

#define OPEN 0
#define CLOSED 1
#define EMPTY 2              /* of a store buffer */

byte running = NOBODY;       /* who runs on the CPU */
bool inSequence[THREADS];
bool aborted[THREADS];

byte gate = OPEN;
byte buffer[THREADS] = EMPTY;
byte lock = NOBODY;

byte slab;                   /* what sequences and holders increment */
byte increments;             /* how many increments took effect */
byte holding;                /* holders between closing and opening */

inline flush(t) {
    if
    :: buffer[t] != EMPTY -> gate = buffer[t]; buffer[t] = EMPTY
    :: else
    fi
}

inline storeGate(t, value) {
    flush(t);
    buffer[t] = value
}

#define loadGate(t) (buffer[t] != EMPTY -> buffer[t] : gate)

inline switchTo(t) {
    if
    :: running != NOBODY -> aborted[running] = inSequence[running]; flush(running)
    :: else
    fi;
    if
    :: t != NOBODY -> aborted[t] = inSequence[t]; flush(t)
    :: else
    fi;
    running = t
}

inline fence(t) {
    flush(t);
    if
    :: running != NOBODY && running != t -> aborted[running] = inSequence[running]
    :: else
    fi
}

inline acquire(t) {
#ifdef NO_LOCK
    skip
#else
    atomic { lock == NOBODY -> lock = t }
#endif
}

inline release(t) {
    atomic {
        flush(t);
#ifndef NO_LOCK
        lock = NOBODY
#endif
    }
}

/* The vector: a load and a store with a gap between them, on plain memory. */
inline holdAndOpen(t) {
    atomic { holding++; assert(holding == 1); seen = slab }
#ifdef WRONG_OPEN
    atomic { storeGate(t, OPEN); flush(t) }
#endif
    atomic { slab = seen + 1; increments++; holding-- }
#ifndef WRONG_OPEN
    atomic { storeGate(t, OPEN) }
#endif
}

inline closeByFence(t) {
#ifdef FENCE_BEFORE_CLOSE
    atomic { fence(t) }
    atomic { storeGate(t, CLOSED) }
#else
    atomic { storeGate(t, CLOSED) }
#ifndef NO_FENCE
    atomic { fence(t) }
#endif
#endif
}

active [SEQUENCES] proctype Sequence() {
    byte self = _pid;
    byte seen;
    byte rounds = 2;

    do
    :: rounds == 0 -> break
    :: else ->
        atomic { rounds--; inSequence[self] = true; aborted[self] = false }
        /* Is this the CPU, and is its gate open? */
        atomic {
            if
            :: aborted[self] || running != self -> goto left
            :: else
            fi
        }
        atomic {
            if
            :: aborted[self] || loadGate(self) == CLOSED -> goto left
            :: else
            fi
        }
        atomic {
            if
            :: aborted[self] -> goto left
            :: else -> seen = slab
            fi
        }
        atomic {
            if
            :: aborted[self] -> goto left
            :: else -> assert(holding == 0); slab = seen + 1; increments++
            fi
        }
left:   atomic { inSequence[self] = false; aborted[self] = false }
    od
}

active proctype LocalHolder() {
    byte seen;
    bool closed = false;

    acquire(LOCAL_HOLDER);
#ifdef CLOSE_WITHOUT_SEQUENCE
    if
    :: running == LOCAL_HOLDER -> atomic { storeGate(LOCAL_HOLDER, CLOSED); closed = true }
    :: else
    fi;
#else
    atomic { inSequence[LOCAL_HOLDER] = true; aborted[LOCAL_HOLDER] = false }
    atomic {
        if
        :: running != LOCAL_HOLDER -> goto tried
        :: else
        fi
    }
    atomic {
        if
        :: aborted[LOCAL_HOLDER]
        :: else -> storeGate(LOCAL_HOLDER, CLOSED); closed = true
        fi
    }
tried:
    atomic { inSequence[LOCAL_HOLDER] = false; aborted[LOCAL_HOLDER] = false }
#endif
    if
    :: closed
    :: else -> closeByFence(LOCAL_HOLDER)
    fi;
    holdAndOpen(LOCAL_HOLDER);
    release(LOCAL_HOLDER)
}

active proctype RemoteHolder() {
    byte seen;

    acquire(REMOTE_HOLDER);
    closeByFence(REMOTE_HOLDER);
    holdAndOpen(REMOTE_HOLDER);
    release(REMOTE_HOLDER)
}

/* The child has one thread: what it inherits closed stays closed, what it inherits half done stays half done. */
active proctype Forker() {
#ifndef FORK_WITHOUT_LOCK
    acquire(FORKER);
#endif
    atomic { assert(gate == OPEN && holding == 0 && slab == increments) }
#ifndef FORK_WITHOUT_LOCK
    release(FORKER)
#endif
}

active proctype Scheduler() {
    byte next;
end:
    do
    :: atomic { select(next : 0 .. SCHEDULED - 1); switchTo(next) }
    :: atomic { switchTo(NOBODY) }
    od
}

active proctype StoreBuffers() {
end:
    do
    :: atomic { buffer[LOCAL_HOLDER] != EMPTY -> flush(LOCAL_HOLDER) }
    :: atomic { buffer[REMOTE_HOLDER] != EMPTY -> flush(REMOTE_HOLDER) }
    od
}

