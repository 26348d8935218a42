/*
 * The gate of one CPU as `gate.pml` has it, on a machine that is weakly ordered, as AArch64 is: stores become visible in any order,
 * and loads are satisfied in any order, but for what the architecture and the code forbid.
 *
 * What is kept of the machine:
 *   - a store waits in its CPU's buffer, from which each leaves at any time, in any order. A store-release leaves after all
 *     earlier ones of that CPU. A processor sees its own stores at once. Once visible, a store is visible to everybody.
 *   - the two loads of a section, of the gate and of the header, are satisfied in any order, unless the address of the second depends on
 *     the value of the first (pop and push), or the first has acquire order (the move vector).
 *   - a section stores only when what it stores depends on is known: not on a path that a load may still have it leave.
 *   - an interruption discards what was loaded ahead, and lets the buffer out: a context switch, and the fence's interrupt, are full
 *     barriers (membarrier(2), the kernel's scheduler).
 *
 * What is shown: no section commits while a holder works, and no update is lost.
 *
 * Each definition takes one part of the protocol away, and must make the checker find an error:
 *   PLAIN_OPEN (the gate opens by a plain store), PLAIN_LOADS (the header may be loaded before the gate), NO_FENCE,
 *   FENCE_WITHOUT_BARRIER (it aborts, and does not let the other CPU's stores out), PLAIN_UNLOCK (the holder's lock is given back
 *   by a plain store).
 */

#define SEQUENCES 2
#define LOCAL_HOLDER 2
#define REMOTE_HOLDER 3
#define SCHEDULED 3          /* the sequences and the local holder run on the CPU: the remote holder elsewhere */
#define NOBODY 7

#define OPEN 0
#define CLOSED 1
#define EMPTY 15             /* of a place in a buffer */

byte running = NOBODY;
bool inSequence[3];
bool aborted[3];

/* Memory, and what waits to get there: of the CPU, index 0, and of the remote holder's, index 1. */
byte gate = OPEN, header, lock = NOBODY;
byte gateBuffer[2] = EMPTY, headerBuffer[2] = EMPTY;
bool gateIsRelease[2], unlocking[2];

byte increments;             /* how many updates took effect */
byte holding;                /* holders between closing and opening */
byte done;

inline flush(c) {
    if
    :: headerBuffer[c] != EMPTY -> header = headerBuffer[c]; headerBuffer[c] = EMPTY
    :: else
    fi;
    if
    :: gateBuffer[c] != EMPTY -> gate = gateBuffer[c]; gateBuffer[c] = EMPTY
    :: else
    fi;
    if
    :: unlocking[c] -> lock = NOBODY; unlocking[c] = false
    :: else
    fi
}

#define gateSeenBy(c) (gateBuffer[c] != EMPTY -> gateBuffer[c] : gate)
#define headerSeenBy(c) (headerBuffer[c] != EMPTY -> headerBuffer[c] : header)

inline interrupt() {
    if
    :: running < SCHEDULED -> aborted[running] = inSequence[running]
    :: else
    fi;
}

inline fence(c) {
    flush(c);
    interrupt();
#ifndef FENCE_WITHOUT_BARRIER
    flush(0)
#endif
}

/* A store of one CPU to the gate: the one before it to the same word is out first (coherence). */
inline storeGate(c, value, release) {
    if
    :: gateBuffer[c] != EMPTY ->
        if
        :: gateIsRelease[c] && headerBuffer[c] != EMPTY -> header = headerBuffer[c]; headerBuffer[c] = EMPTY
        :: else
        fi;
        gate = gateBuffer[c]
    :: else
    fi;
    gateBuffer[c] = value;
    gateIsRelease[c] = release
}

inline acquire(t) {
    atomic { lock == NOBODY -> lock = t }
}

/* A release leaves the buffer after what was stored before. */
inline unlock(c) {
#ifdef PLAIN_UNLOCK
    atomic { unlocking[c] = true };
    atomic { lock = NOBODY; unlocking[c] = false }
#else
    atomic { unlocking[c] = true; flush(c) }
#endif
}

inline holdAndOpen(c) {
    atomic { holding++; assert(holding == 1); seen = headerSeenBy(c) }
    atomic { headerBuffer[c] = seen + 1; increments++; holding-- }
#ifdef PLAIN_OPEN
    atomic { storeGate(c, OPEN, false) }
#else
    atomic { storeGate(c, OPEN, true) }
#endif
}

inline closeByFence(c) {
    atomic { storeGate(c, CLOSED, false) }
#ifndef NO_FENCE
    atomic { fence(c) }
#endif
}

active [SEQUENCES] proctype Sequence() {
    byte self = _pid;
    byte seenGate, seen;
    byte rounds = 2 - _pid;
    bool hasGate, hasHeader;

    do
    :: rounds == 0 -> break
    :: else ->
        atomic {
            running == self ->
            rounds--; inSequence[self] = true; aborted[self] = false; hasGate = false; hasHeader = false
        }
        do
        :: atomic { aborted[self] -> goto left }
        :: atomic { !aborted[self] && !hasGate -> seenGate = gateSeenBy(0); hasGate = true }
#ifdef PLAIN_LOADS
        :: atomic { !aborted[self] && !hasHeader -> seen = headerSeenBy(0); hasHeader = true }
#else
        :: atomic { !aborted[self] && !hasHeader && hasGate -> seen = headerSeenBy(0); hasHeader = true }
#endif
        :: atomic { !aborted[self] && hasGate && hasHeader -> break }
        od;
        atomic {
            if
            :: aborted[self] || seenGate == CLOSED
            :: else ->
                assert(holding == 0);
                headerBuffer[0] = seen + 1;
                increments++
            fi
        }
left:   atomic { inSequence[self] = false; aborted[self] = false; seenGate = 0; seen = 0 }
    od;
    done++
}

/* Closes the gate of the CPU that it runs on by a section, and goes on anywhere: a migration is a context switch. Elsewhere it
   has the buffer that the remote holder has, which the lock keeps away meanwhile. */
#define HERE (running == LOCAL_HOLDER -> 0 : 1)

active proctype LocalHolder() {
    byte seen;
    bool closed = false;

    acquire(LOCAL_HOLDER);
    atomic { running == LOCAL_HOLDER -> inSequence[LOCAL_HOLDER] = true; aborted[LOCAL_HOLDER] = false }
    atomic {
        if
        :: aborted[LOCAL_HOLDER]
        :: else -> storeGate(0, CLOSED, false); closed = true
        fi;
        inSequence[LOCAL_HOLDER] = false
    }
    if
    :: closed
    :: else -> closeByFence(HERE)
    fi;
    holdAndOpen(HERE);
    unlock(HERE);
    done++
}

active proctype RemoteHolder() {
    byte seen;

    acquire(REMOTE_HOLDER);
    closeByFence(1);
    holdAndOpen(1);
    unlock(1);
    done++
}

active proctype Scheduler() {
    byte next;

    do
    :: done == SEQUENCES + 2 -> break
    :: atomic {
        done < SEQUENCES + 2 ->
        select(next : 0 .. SCHEDULED - 1);
        interrupt();
        flush(0);
        if
        :: lock == LOCAL_HOLDER && (running == LOCAL_HOLDER || next == LOCAL_HOLDER) -> flush(1)
        :: else
        fi;
        aborted[next] = inSequence[next];
        running = next;
        next = 0
    }
    od;
    atomic { flush(0); flush(1); assert(header == increments) }
}

active proctype Buffers() {
    byte c;
end:
    do
    :: atomic { headerBuffer[0] != EMPTY -> header = headerBuffer[0]; headerBuffer[0] = EMPTY }
    :: atomic { headerBuffer[1] != EMPTY -> header = headerBuffer[1]; headerBuffer[1] = EMPTY }
    :: atomic {
        gateBuffer[0] != EMPTY && (!gateIsRelease[0] || headerBuffer[0] == EMPTY) ->
        gate = gateBuffer[0]; gateBuffer[0] = EMPTY
    }
    :: atomic {
        gateBuffer[1] != EMPTY && (!gateIsRelease[1] || headerBuffer[1] == EMPTY) ->
        gate = gateBuffer[1]; gateBuffer[1] = EMPTY
    }
    od
}
