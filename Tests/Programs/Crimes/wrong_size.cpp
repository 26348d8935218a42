// Tells sized frees and sized deletes a size that the block does not have.
#include "crime.h"
#include <new>

static void free_sized_as(std::size_t size, std::size_t told) {
    auto *free_sized = reinterpret_cast<void (*)(void *, std::size_t)>(function("free_sized"));
    void *block = obtained(malloc(size));
    about_to_misuse(block);
    free_sized(hidden(block), told);
    returned();
}

static void free_sized_too_small() { free_sized_as(5000, 16); }
static void free_sized_too_large() { free_sized_as(100, 5000); }
static void free_sized_small_as_large() { free_sized_as(100, std::size_t(4) << 20); }
static void free_sized_large_as_small() { free_sized_as(std::size_t(4) << 20, 100); }
static void free_sized_large_as_larger() { free_sized_as(std::size_t(4) << 20, std::size_t(16) << 20); }
static void free_sized_as_everything() { free_sized_as(100, SIZE_MAX); }

static void free_aligned_sized_too_large() {
    auto *free_it =
        reinterpret_cast<void (*)(void *, std::size_t, std::size_t)>(function("free_aligned_sized"));
    void *block = obtained(aligned_alloc(64, 128));
    about_to_misuse(block);
    free_it(hidden(block), 64, 20000);
    returned();
}

static void delete_too_small() {
    void *block = ::operator new(3000);
    about_to_misuse(block);
    ::operator delete(hidden(block), std::size_t(8));
    returned();
}

static void delete_too_large() {
    void *block = ::operator new(24);
    about_to_misuse(block);
    ::operator delete(hidden(block), std::size_t(3000));
    returned();
}

static void delete_array_too_large() {
    void *block = ::operator new[](24);
    about_to_misuse(block);
    ::operator delete[](hidden(block), std::size_t(3000));
    returned();
}

static void aligned_delete_too_small() {
    void *block = ::operator new(10000, std::align_val_t(64));
    about_to_misuse(block);
    ::operator delete(hidden(block), std::size_t(100), std::align_val_t(64));
    returned();
}

// What it is for: an object deleted through a base whose destructor is not virtual.
struct Base {
    long number = 1;
};
struct Derived : Base {
    char more[1000] = {};
};

static void delete_through_base() {
    Base *object = new Derived;
    about_to_misuse(object);
    delete static_cast<Base *>(hidden(object));
    returned();
}

int main(int argc, char **argv) {
    static const crime crimes[] = {
        CRIME(free_sized_too_small),      CRIME(free_sized_too_large),       CRIME(free_sized_small_as_large),
        CRIME(free_sized_large_as_small), CRIME(free_sized_large_as_larger), CRIME(free_sized_as_everything),
        CRIME(free_aligned_sized_too_large), CRIME(delete_too_small),        CRIME(delete_too_large),
        CRIME(delete_array_too_large),    CRIME(aligned_delete_too_small),   CRIME(delete_through_base),
    };
    return COMMIT(crimes);
}
