// A program may replace `operator new(size_t)` and `operator delete(void *)` alone. The forms that
// C++ defines by those two then go through them, and never past them to the heap: here a header
// stands in front of each block.
#include "check.h"

#include <new>

static long made, dropped;

struct Header {
    std::size_t size, unused;
};

void *operator new(std::size_t size) {
    Header *header = static_cast<Header *>(std::malloc(size + sizeof(Header)));
    if (!header || size > SIZE_MAX / 2) throw std::bad_alloc();
    header->size = size;
    made++;
    return header + 1;
}

void operator delete(void *block) noexcept {
    if (!block) return;
    dropped++;
    std::free(static_cast<Header *>(block) - 1);
}

static void balance(long expected) {
    EXPECT(made == expected, "%ld calls of operator new, got %ld", expected, made);
    EXPECT(dropped == expected, "%ld calls of operator delete, got %ld", expected, dropped);
}

static void replaced_plain_operators() {
    for (int i = 0; i < 1000; i++) {
        std::size_t size = opaque(static_cast<std::size_t>(i) * 3);
        ::operator delete(::operator new(size));
        ::operator delete(::operator new(size), size);
        ::operator delete(::operator new(size), std::nothrow);
        ::operator delete[](::operator new[](size));
        ::operator delete[](::operator new[](size), size);
        ::operator delete[](::operator new[](size), std::nothrow);
        ::operator delete(::operator new(size, std::nothrow), size);
        ::operator delete[](::operator new[](size, std::nothrow), size);
    }
    balance(8000);
}

static void replaced_operators_fail_without_throwing() {
    EXPECT(!::operator new(opaque(SIZE_MAX / 2 + 1), std::nothrow), "NULL");
    EXPECT(!::operator new[](opaque(SIZE_MAX / 2 + 1), std::nothrow), "NULL");
    balance(0);
}

// The aligned forms are defined by the aligned two, which are not replaced.
static void aligned_operators_stay() {
    for (std::size_t size = 1; size < 5000; size += 7) {
        std::align_val_t alignment{64};
        ::operator delete(::operator new(size, alignment), size, alignment);
        ::operator delete[](::operator new[](size, alignment), alignment);
        ::operator delete[](::operator new[](size, alignment, std::nothrow), size, alignment);
    }
    balance(0);
}

int main(int argc, char **argv) {
    static const test_case cases[] = {
        CASE(replaced_plain_operators),
        CASE(replaced_operators_fail_without_throwing),
        CASE(aligned_operators_stay),
    };
    return RUN_CASES(cases);
}
