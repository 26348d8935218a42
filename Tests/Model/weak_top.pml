/*
 * The slow path of free looks whether its block is the one that was freed last, on a machine that is weakly ordered: it loads the
 * header of a cache, and then the pointer that the header says is on top, while a thread on the cache's CPU pushes and pops by sections,
 * whose two stores become visible in any order.
 *
 * Slot 1 of the cache holds what is left of a block that was popped: block 7, which the freeing thread was given (or, FREED_TWICE, which
 * is there again). The other thread pushes another block to that slot, pops it, and pushes once more.
 *
 * What is shown: no block is called free that is not, and one that is free is found.
 *
 * NO_FENCE, which takes the fence between the two looks away, must make the checker find an error.
 */

#define EMPTY 15
#define MINE 7

byte slot = MINE;
byte current = 1;            /* 2: slot 1 counts */
byte slotBuffer = EMPTY, currentBuffer = EMPTY;

inline flush() {
    if
    :: slotBuffer != EMPTY -> slot = slotBuffer; slotBuffer = EMPTY
    :: else
    fi;
    if
    :: currentBuffer != EMPTY -> current = currentBuffer; currentBuffer = EMPTY
    :: else
    fi
}

inline storeSlot(value) {
    if
    :: slotBuffer != EMPTY -> slot = slotBuffer
    :: else
    fi;
    slotBuffer = value
}

inline storeCurrent(value) {
    if
    :: currentBuffer != EMPTY -> current = currentBuffer
    :: else
    fi;
    currentBuffer = value
}

active proctype Owner() {
#ifdef FREED_TWICE
    atomic { current = 2 }
#else
    atomic { storeSlot(3) }
    atomic { storeCurrent(2) }
    atomic { storeCurrent(1) }
    atomic { storeSlot(4) }
    atomic { storeCurrent(2) }
#endif
}

active proctype Freeing() {
    byte header, top;
    bool isReported = false;

#ifdef FREED_TWICE
    current == 2;
#endif
    header = current;
    if
    :: header == 2 ->
        /* Its address depends on the header. */
        top = slot;
        if
        :: top == MINE ->
#ifndef NO_FENCE
            atomic { flush() }
            top = slot;
#endif
            isReported = top == MINE
        :: else
        fi
    :: else
    fi;
#ifdef FREED_TWICE
    assert(isReported)
#else
    assert(!isReported)
#endif
}

active proctype Buffers() {
end:
    do
    :: atomic { slotBuffer != EMPTY -> slot = slotBuffer; slotBuffer = EMPTY }
    :: atomic { currentBuffer != EMPTY -> current = currentBuffer; currentBuffer = EMPTY }
    od
}
