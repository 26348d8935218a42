/*
 * The fork gate: threads that visit the allocator and change its state in two steps, and threads that fork, one of
 * which is interrupted inside its fork by a signal handler that forks as well.
 *
 * What is kept of the machine: a store waits in the store buffer of its thread until the thread's next atomic exchange, or
 * chance, lets it out; the thread itself sees it at once. The slot and the gate are written by atomic exchanges when
 * they are taken, and by stores when they are given back.
 *
 * What is shown: a fork copies no state that is half changed, neither at the outer fork nor at the inner one, whatever the
 * inner fork does to the gate; and everybody comes to an end (no invalid end state).
 *
 * The limits of waiting are not modelled: who goes on after one of them breaks what is shown here, and the child repairs.
 *
 * Each definition takes one part of the protocol away, and must make the checker find an error:
 *   LOOK_BEFORE_SLOT (a visitor looks at the gate before it takes its slot), NO_LOOK (it does not look),
 *   PLAIN_SLOT (the slot is taken by a store that may wait), PLAIN_CLOSE (the gate is closed by such a store),
 *   CLOSE_AFTER_LOOK (the forking thread looks at the slots before it closes the gate), ONE_SLOT_UNSEEN,
 *   EARLY_LEAVE (a visitor gives its slot back before its last change), INNER_OPENS (the inner fork opens the gate).
 */

#define VISITORS 2
#define FORKERS 2
#define NOBODY 0
#define EMPTY 9              /* of a store buffer */

byte gate = NOBODY;          /* who closed it: 1 more than a forker's number */
byte gateBuffer[FORKERS] = EMPTY;
bool slot[VISITORS];
byte slotBuffer[VISITORS] = EMPTY;
byte halfChanged;

/* A visitor's view of its own slot does not matter: it alone writes it. */
inline takeSlot(v) {
#ifdef PLAIN_SLOT
    atomic { slotBuffer[v] = 1 }
#else
    atomic { slotBuffer[v] = EMPTY; slot[v] = true }
#endif
}

inline giveSlot(v) {
    atomic {
        if
        :: slotBuffer[v] != EMPTY -> slot[v] = slotBuffer[v] == 1
        :: else
        fi;
        slotBuffer[v] = 0
    }
}

active [VISITORS] proctype Visitor() {
    byte self = _pid;
    byte visits = 2;

    do
    :: visits == 0 -> break
    :: else ->
        visits--;
enter:
#ifdef LOOK_BEFORE_SLOT
        gate == NOBODY;
        takeSlot(self);
#else
        takeSlot(self);
#ifndef NO_LOOK
        if
        :: gate == NOBODY
        :: gate != NOBODY -> giveSlot(self); gate == NOBODY; goto enter
        fi;
#endif
#endif
        halfChanged++;
#ifdef EARLY_LEAVE
        giveSlot(self);
#endif
        halfChanged--;
#ifndef EARLY_LEAVE
        giveSlot(self)
#endif
    od
}

inline closeGate(f) {
#ifdef PLAIN_CLOSE
    atomic { gate == NOBODY -> gateBuffer[f] = f + 1 }
#else
    atomic { gate == NOBODY -> gate = f + 1 }
#endif
}

inline awaitVisitors() {
    !slot[0];
#ifndef ONE_SLOT_UNSEEN
    !slot[1]
#endif
}

inline copyState() { assert(halfChanged == 0) }

active [FORKERS] proctype Forker() {
    byte self = _pid - VISITORS;

#ifdef CLOSE_AFTER_LOOK
    awaitVisitors();
    closeGate(self);
#else
    closeGate(self);
    awaitVisitors();
#endif
    if
    :: self == 0 ->
        /* A signal handler forks: the gate is its thread's already. */
        awaitVisitors();
        copyState();
#ifdef INNER_OPENS
        gate = NOBODY
#endif
    :: else
    fi;
    copyState();
    atomic {
        gateBuffer[self] = EMPTY;
        gate = NOBODY
    }
}

active proctype StoreBuffers() {
end:
    do
    :: atomic { slotBuffer[0] != EMPTY -> slot[0] = slotBuffer[0] == 1; slotBuffer[0] = EMPTY }
    :: atomic { slotBuffer[1] != EMPTY -> slot[1] = slotBuffer[1] == 1; slotBuffer[1] = EMPTY }
    :: atomic { gateBuffer[0] != EMPTY -> gate = gateBuffer[0]; gateBuffer[0] = EMPTY }
    :: atomic { gateBuffer[1] != EMPTY -> gate = gateBuffer[1]; gateBuffer[1] = EMPTY }
    od
}
