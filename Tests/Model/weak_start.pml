/*
 * Start-up of the heap while another thread runs, on a machine that is weakly ordered: the fast path loads the limit first, and where that
 * lets it go on, what start-up stored before it. Nothing orders the two loads of the fast path, nor plain stores of start-up.
 *
 * What is kept of the machine: a store waits in a buffer, from which each leaves at any time, in any order; a load that depends on
 * no other is satisfied at any time; a fence (membarrier(2)) lets all stores of its caller out, and interrupts the other thread,
 * which discards what it loaded ahead. (That thread loads a second time only when it is to go on: the interrupt comes between two of
 * its instructions, and those before it have their values.)
 *
 * What is shown: no call goes on without what start-up stored.
 *
 * Each definition takes one part away, and must make the checker find an error: NO_FENCE, ONE_SIDED (the fence is a barrier for its
 * caller alone, as a store-release of the limit would be).
 */

#define EMPTY 2

bit tables, limit;
byte tablesBuffer = EMPTY, limitBuffer = EMPTY;

bool isAhead;                /* the tables were loaded before the limit */
bit tablesAhead;

inline flush() {
    if
    :: tablesBuffer != EMPTY -> tables = tablesBuffer; tablesBuffer = EMPTY
    :: else
    fi;
    if
    :: limitBuffer != EMPTY -> limit = limitBuffer; limitBuffer = EMPTY
    :: else
    fi
}

active proctype Starter() {
    atomic { tablesBuffer = 1 }
#ifndef NO_FENCE
    atomic {
        flush();
#ifndef ONE_SIDED
        isAhead = false
#endif
    }
#endif
    atomic { limitBuffer = 1 }
}

active proctype Caller() {
    byte rounds = 3;
    bit seenLimit, seenTables;

    do
    :: rounds == 0 -> break
    :: else ->
        rounds--;
        /* By chance. */
        if
        :: atomic { isAhead = true; tablesAhead = tables }
        :: isAhead = false
        fi;
        atomic { seenLimit = limit }
        if
        :: seenLimit ->
            atomic { seenTables = (isAhead -> tablesAhead : tables); assert(seenTables) }
        :: else
        fi
    od
}

active proctype Buffers() {
end:
    do
    :: atomic { tablesBuffer != EMPTY -> tables = tablesBuffer; tablesBuffer = EMPTY }
    :: atomic { limitBuffer != EMPTY -> limit = limitBuffer; limitBuffer = EMPTY }
    od
}
