"""Percolate's heap in gdb, of a live process or of a core dump:

    (gdb) source LD_PRELOAD/percolate-gdb.py
    (gdb) percolate block ADDRESS    the block, span, slab, gate and locks of an address
    (gdb) percolate gates            the gate and the slab of each CPU
    (gdb) percolate locks            who is inside the allocator, and which locks are held by whom

It finds everything by the debug information of libpercolate_malloc.so, so that may not be stripped, and calls nothing in
the process.
"""

import gdb

# The shard of sampled blocks, which enter no cache.
SAMPLED_SHARD = 255


def unsigned(address, size):
    """The number of `size` bytes at `address`."""
    memory = gdb.selected_inferior().read_memory(address, size)
    return int.from_bytes(memory.tobytes(), "little")


class Heap:
    """The heap of the selected process, as the variables that the shared object describes itself with say."""

    def __init__(self):
        try:
            state = gdb.parse_and_eval("percolate_process_heap")["heap"]
            self.front = state["front"]
            self.heap = state["observed"]
            self.view = state["debugger"]
            ready = int(self.heap["is_ready"])
        except gdb.error as error:
            raise gdb.GdbError(
                f"{error}. Is libpercolate_malloc.so loaded, with its debug information?")
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"the variables of the heap cannot be read: {error}")
        if not ready:
            raise gdb.GdbError("the heap of this process has not started")

    def __getitem__(self, name):
        return int(self.view[name])

    def page(self, address):
        return (address - int(self.front["base"])) >> self["page_shift"]

    def address(self, page):
        return int(self.front["base"]) + (page << self["page_shift"])

    def field(self, span, name):
        """A field of a span's record."""
        place = self.view[name]
        record = self["spans"] + span * self["span_stride"]
        return unsigned(record + int(place["offset"]), int(place["size"]))

    def block_size(self, size_class):
        classes = self.heap["classes"]
        record = int(classes["address"]) + size_class * int(classes["stride"])
        return unsigned(record + int(self.heap["block_size_offset"]), 4)

    def caches(self):
        """For each index of the caches: its number, the addresses of its record and of its slab (0 for none)."""
        caches = self.heap["caches"]
        for index in range(int(caches["count"])):
            record = int(caches["address"]) + index * int(caches["stride"])
            yield index, record, unsigned(record + int(self.heap["slab_offset"]), 8)

    def cached(self, slab, size_class):
        """The free blocks of a class in a slab, and for how many there is room."""
        layout = self.view["header"].type
        header = slab + int(self.heap["headers_offset"]) + layout.sizeof * size_class
        current, begin, end = (
            unsigned(header + layout[name].bitpos // 8, layout[name].type.sizeof)
            for name in ("current", "begin", "end"))
        return [unsigned(slab + 8 * word, 8) for word in range(begin, current)], end - begin

    def gate(self, index):
        value = unsigned(self["gates"] + 8 * index, 8)
        return "closed" if value == self["closed_slab"] else f"open to slab {value:#x}"

    def list_record(self, size_class, shard):
        """The record of a central list: classes whose blocks share cache lines come first, with more shards."""
        first = int(self.heap["first_of_whole_lines"])
        small, large = (int(self.heap["shard_bits"][n]) for n in range(2))
        if size_class < first:
            position = (size_class << small) + shard
        else:
            position = (first << small) + ((size_class - first) << large) + shard
        lists = self.heap["lists"]
        return int(lists["address"]) + position * int(lists["stride"])

    def resting(self, size_class, shard):
        """The free blocks of a central list that rest in its transfer cache."""
        record = self.list_record(size_class, shard)
        part, count = (
            unsigned(record + int(self.view[name]["offset"]), int(self.view[name]["size"]))
            for name in ("transfer_part", "transfer_count"))
        words = unsigned(self["transfer_memory"], 8) + (part - 1) * self["transfer_part_bytes"]
        return [unsigned(words + 8 * word, 8) for word in range(count if part else 0)]

    def locks(self):
        """Each lock: what it is, and the address of its word."""
        yield "start", self["start_lock"]
        yield "arena", self["arena_lock"]
        yield "counting", self["counting_lock"]
        for index, record, _ in self.caches():
            yield f"gate of index {index}", record + self["cache_lock_offset"]
        lists = self.heap["lists"]
        for position in range(int(lists["count"])):
            record = int(lists["address"]) + position * int(lists["stride"])
            yield f"central list {position}", record + self["list_lock_offset"]


def thread_of(number):
    """The thread with that number of the kernel's."""
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == number:
            return f"thread {thread.num} (LWP {number})"
    return f"LWP {number}, which is not here"


def owner(word):
    """What a lock's word says: the owner's number, and a flag while others may wait."""
    return f"held by {thread_of(word & 0x7FFFFFFF)}" if word else "free"


def say_lock(heap, name, address):
    print(f"lock   {name}: {owner(unsigned(address, 8))} (word at {address:#x})")


def show_block(address):
    heap = Heap()
    page = heap.page(address)
    if not 0 <= page < int(heap.heap["reserved"]) >> heap["page_shift"]:
        print(f"{address:#x} is outside the arena: not Percolate's, or of its region for emergencies")
        return
    span = span_of(heap, page)
    if span == 0:
        print(f"{address:#x} is in page {page} of the arena, which is free")
        say_lock(heap, "arena", heap["arena_lock"])
        return
    start = heap.address(heap.field(span, "first_page"))
    if unsigned(heap["page_classes"] + page, 1) == 0:
        print(f"block  {start:#x}, large, in use by the program, {address - start} bytes in")
        say_span(heap, span, start)
        say_lock(heap, "arena", heap["arena_lock"])
        return
    show_small(heap, span, start, address)


def span_of(heap, page):
    """The number of the span that a page belongs to; 0 for a free page. Of a large block, only the first page has it, and a page
    that became free may still have it."""
    for candidate in range(page, -1, -1):
        try:
            span = unsigned(heap["page_spans"] + 4 * candidate, 4)
        except gdb.MemoryError:
            continue
        if span == 0 or heap.field(span, "kind") == 0:
            continue
        first = heap.field(span, "first_page")
        if first <= candidate < first + heap.field(span, "pages"):
            return span if page < first + heap.field(span, "pages") else 0
    return 0


def say_span(heap, span, start, detail=""):
    print(f"span   {span}: {heap.field(span, 'pages')} pages from {start:#x}{detail}")


def show_small(heap, span, start, address):
    size_class, shard = heap.field(span, "size_class"), heap.field(span, "shard")
    size = heap.block_size(size_class)
    number = (address - start) // size
    block = start + number * size
    bits = heap["spans"] + span * heap["span_stride"] + heap["bits_offset"]
    state, holder = "in use by the program", None
    if number >= heap.field(span, "blocks"):
        state = "the rest of its span, which no block has"
    elif unsigned(bits + number // 8, 1) >> number % 8 & 1:
        state = "free in its span"
    else:
        for index, record, slab in heap.caches():
            if slab and block in heap.cached(slab, size_class)[0]:
                state, holder = f"free in the cache of index {index}", (index, record, slab)
        if shard != SAMPLED_SHARD and block in heap.resting(size_class, shard):
            state = "free at rest in its central list"
    print(f"block  {block:#x}, {size} bytes, {state}, {address - block} bytes in")
    say_span(
        heap, span, start, f", size class {size_class}, {heap.field(span, 'blocks')} blocks, "
        f"{heap.field(span, 'free')} of them free in it")
    if holder:
        index, record, slab = holder
        blocks, room = heap.cached(slab, size_class)
        print(f"slab   {slab:#x}: {len(blocks)} of {room} blocks of this class")
        print(f"gate   of index {index}: {heap.gate(index)}")
        say_lock(heap, f"gate of index {index}", record + heap["cache_lock_offset"])
    say_lock(
        heap, f"central list of size class {size_class}, shard {shard}",
        heap.list_record(size_class, shard) + heap["list_lock_offset"])


class Percolate(gdb.Command):
    """Percolate's heap: `percolate block ADDRESS`, `percolate gates`, `percolate locks`."""

    def __init__(self):
        super().__init__("percolate", gdb.COMMAND_DATA, prefix=True)


class Block(gdb.Command):
    """percolate block ADDRESS: the block, span, slab, gate and locks of an address."""

    def __init__(self):
        super().__init__("percolate block", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text, _):
        if not text:
            raise gdb.GdbError("percolate block needs an address")
        try:
            show_block(int(gdb.parse_and_eval(f"(unsigned long)({text})")))
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"this dump or process lacks memory of the heap: {error}")


class Gates(gdb.Command):
    """percolate gates: the gate and the slab of each CPU that has a slab."""

    def __init__(self):
        super().__init__("percolate gates", gdb.COMMAND_DATA)

    def invoke(self, *_):
        heap = Heap()
        for index, record, slab in heap.caches():
            if slab:
                lock = owner(unsigned(record + heap["cache_lock_offset"], 8))
                print(f"index {index}: {heap.gate(index)}, slab {slab:#x}, lock {lock}")


class Locks(gdb.Command):
    """percolate locks: who is inside the allocator, and which locks are held by whom."""

    def __init__(self):
        super().__init__("percolate locks", gdb.COMMAND_DATA)

    def invoke(self, *_):
        heap = Heap()
        held = 0
        closer = unsigned(heap["fork_gate"], 4)
        if closer:
            print(f"fork gate: closed by {thread_of(closer)}")
        for slot in range(heap["fork_gate_slots"]):
            number = unsigned(heap["fork_gate"] + 64 + 4 * slot, 4)
            if number:
                print(f"inside the allocator: {thread_of(number)}")
        for name, address in heap.locks():
            word = unsigned(address, 8)
            if word:
                print(f"{name}: {owner(word)}")
                held += 1
        if not held:
            print("no lock is held")


Percolate()
Block()
Gates()
Locks()
