// Promises of operator new and operator delete.
#include "check.h"
#include <cstdint>
#include <new>

static const std::size_t some_sizes[] = {0,   1,   8,    9,    16,   17,    24,    40,    64,     100,    128,    129,
                                         200, 500, 513,  1000, 1025, 4096, 10000, 32768, 65536, 100000, 262145};

// Every way to obtain a block, by number; the aligned ones only for what `new` calls with an
// alignment.
static void *obtain(int way, std::size_t size, std::align_val_t alignment) {
    switch (way) {
    case 0: return ::operator new(size);
    case 1: return ::operator new[](size);
    case 2: return ::operator new(size, std::nothrow);
    case 3: return ::operator new[](size, std::nothrow);
    case 4: return ::operator new(size, alignment);
    case 5: return ::operator new[](size, alignment);
    case 6: return ::operator new(size, alignment, std::nothrow);
    default: return ::operator new[](size, alignment, std::nothrow);
    }
}

// Every operator delete that may follow: the sized ones are told the size.
static void dispose(int way, int form, void *block, std::size_t size, std::align_val_t alignment) {
    bool array = way % 2 == 1;
    if (way < 4) {
        if (form == 0) array ? ::operator delete[](block) : ::operator delete(block);
        if (form == 1) array ? ::operator delete[](block, size) : ::operator delete(block, size);
        if (form == 2) array ? ::operator delete[](block, std::nothrow) : ::operator delete(block, std::nothrow);
    } else {
        if (form == 0) array ? ::operator delete[](block, alignment) : ::operator delete(block, alignment);
        if (form == 1) array ? ::operator delete[](block, size, alignment) : ::operator delete(block, size, alignment);
        if (form == 2) {
            array ? ::operator delete[](block, alignment, std::nothrow)
                  : ::operator delete(block, alignment, std::nothrow);
        }
    }
}

static void every_form() {
    for (int way = 0; way < 8; way++) {
        for (int form = 0; form < 3; form++) {
            for (std::size_t size : some_sizes) {
                for (std::size_t alignment = 1; alignment <= 1 << 21; alignment *= way < 4 ? 1 << 22 : 8) {
                    void *blocks[3];
                    for (int i = 0; i < 3; i++) {
                        blocks[i] = obtain(way, size, std::align_val_t(alignment));
                        REQUIRE(blocks[i] != nullptr, "form %d of new to give %zu bytes", way, size);
                        EXPECT(is_aligned(blocks[i], alignment), "alignment %zu, got %p", alignment, blocks[i]);
                        EXPECT(is_aligned(blocks[i], fundamental_alignment(size)), "alignment, got %p", blocks[i]);
                        EXPECT(malloc_usable_size(blocks[i]) >= size, "%zu usable bytes", size);
                        fill(blocks[i], size, unsigned(i));
                    }
                    for (int i = 0; i < 3; i++) {
                        EXPECT(first_difference(blocks[i], size, unsigned(i)) == size, "%zu bytes to survive", size);
                        EXPECT(i == 0 || blocks[i] != blocks[i - 1], "different blocks");
                        dispose(way, form, blocks[i], size, std::align_val_t(alignment));
                    }
                }
            }
        }
    }
}

static void delete_null() {
    errno = 55;
    for (int way = 0; way < 8; way++) {
        for (int form = 0; form < 3; form++) dispose(way, form, nullptr, 100, std::align_val_t(64));
    }
    EXPECT(errno == 55, "deleting nullptr to keep errno, it is %d", errno);
}

static void sized_delete_of_all_sizes() {
    for (std::size_t size = 0; size <= 100000; size++) {
        void *block = size % 2 == 0 ? ::operator new(size) : ::operator new[](size);
        size % 2 == 0 ? ::operator delete(block, size) : ::operator delete[](block, size);
    }
    for (std::size_t alignment = 1; alignment <= 1 << 16; alignment *= 2) {
        for (std::size_t size = 1; size < 20000; size = size * 5 / 4 + 1) {
            void *block = ::operator new(size, std::align_val_t(alignment));
            ::operator delete(block, size, std::align_val_t(alignment));
        }
    }
}

template <std::size_t alignment> struct alignas(alignment) Overaligned {
    unsigned char bytes[alignment + 1];
    Overaligned() { bytes[0] = 7; }
    ~Overaligned() { EXPECT(bytes[0] == 7, "the object to be whole"); }
};

template <std::size_t alignment> static void one_overaligned() {
    Overaligned<alignment> *singles[20], *arrays[20];
    for (int i = 0; i < 20; i++) {
        singles[i] = new Overaligned<alignment>;
        arrays[i] = new Overaligned<alignment>[i + 1];
        EXPECT(is_aligned(singles[i], alignment), "an object aligned to %zu, got %p", alignment, (void *)singles[i]);
        EXPECT(is_aligned(arrays[i], alignment), "an array aligned to %zu, got %p", alignment, (void *)arrays[i]);
    }
    for (int i = 0; i < 20; i++) {
        delete singles[i];
        delete[] arrays[i];
    }
}

static void overaligned_types() {
    one_overaligned<32>();
    one_overaligned<64>();
    one_overaligned<128>();
    one_overaligned<512>();
    one_overaligned<4096>();
    one_overaligned<65536>();
}

// Objects with a destructor keep their number in front of the array; sized delete is told the size
// with it.
static void arrays_of_objects() {
    struct Object {
        int value;
        Object() : value(42) {}
        ~Object() { EXPECT(value == 42, "the object to be whole"); }
    };
    for (std::size_t count = 0; count < 70000; count = count * 3 / 2 + 1) delete[] new Object[count];
    for (int i = 0; i < 1000; i++) delete new Object;
}

int main(int argc, char **argv) {
    static const test_case cases[] = {
        CASE(every_form),        CASE(delete_null),       CASE(sized_delete_of_all_sizes),
        CASE(overaligned_types), CASE(arrays_of_objects),
    };
    return RUN_CASES(cases);
}
