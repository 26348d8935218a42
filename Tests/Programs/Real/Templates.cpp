// Work for a C++ compiler: deep recursive templates, wide variadic packs, type lists, constant
// evaluation, and heavy parts of the standard library. DEPTH sets how much.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#ifndef DEPTH
#define DEPTH 8
#endif

template <typename... Types> struct List {};

template <int N> struct Tag {
    static constexpr int value = N;
    std::array<std::uint8_t, 1 + N % 16> bytes{};
};

template <typename List, typename Type> struct Append;
template <typename... Types, typename Type> struct Append<List<Types...>, Type> { using Result = List<Types..., Type>; };

template <int N> struct Tags { using Result = typename Append<typename Tags<N - 1>::Result, Tag<N>>::Result; };
template <> struct Tags<0> { using Result = List<Tag<0>>; };

template <typename List> struct Reverse;
template <> struct Reverse<List<>> { using Result = List<>; };
template <typename First, typename... Rest> struct Reverse<List<First, Rest...>> {
    using Result = typename Append<typename Reverse<List<Rest...>>::Result, First>::Result;
};

template <typename List> struct Size;
template <typename... Types> struct Size<List<Types...>> {
    static constexpr std::size_t value = (sizeof(Types) + ... + 0);
};

constexpr std::uint64_t collatz(std::uint64_t n) {
    std::uint64_t steps = 0;
    for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return steps;
}

template <std::size_t... Index> constexpr auto table(std::index_sequence<Index...>) {
    return std::array<std::uint64_t, sizeof...(Index)>{collatz(Index + 1)...};
}

// Each N brings its own map, variant, function and shared pointer type.
template <int N> struct Registry {
    using Value = std::variant<Tag<N>, std::string, std::vector<Tag<N>>, std::shared_ptr<Tag<N>>>;
    std::map<std::string, Value> ordered;
    std::unordered_map<int, std::function<int(const Tag<N> &)>> functions;
    std::set<std::tuple<int, Tag<N> *, std::string>> tuples;

    int run() {
        ordered["tag"] = Tag<N>{};
        ordered["text"] = std::string(N, 'x');
        ordered["list"] = std::vector<Tag<N>>(N % 7 + 1);
        ordered["shared"] = std::make_shared<Tag<N>>();
        functions[N] = [this](const Tag<N> &tag) { return int(tag.bytes.size() + ordered.size()); };
        tuples.emplace(N, nullptr, std::to_string(N));
        int total = 0;
        for (auto &[name, value] : ordered) {
            total += int(name.size());
            total += std::visit(
                [&](auto &held) -> int {
                    using Held = std::decay_t<decltype(held)>;
                    if constexpr (std::is_same_v<Held, Tag<N>>) return functions[N](held);
                    else if constexpr (std::is_same_v<Held, std::string>) return int(held.size());
                    else if constexpr (std::is_same_v<Held, std::vector<Tag<N>>>) return int(held.size()) * 3;
                    else return int(held.use_count());
                },
                value);
        }
        return total + int(tuples.size());
    }
};

template <int... N> int run_all(std::integer_sequence<int, N...>) { return (Registry<N>{}.run() + ... + 0); }

int main() {
    using All = typename Tags<DEPTH * 10>::Result;
    using Backwards = typename Reverse<All>::Result;
    static_assert(Size<All>::value == Size<Backwards>::value);
    constexpr auto steps = table(std::make_index_sequence<DEPTH * 40>{});
    const std::regex number("[0-9]+");
    const std::string text = std::regex_replace(std::string("a1b22c333"), number, "#");
    std::printf("%d %zu %llu %s\n", run_all(std::make_integer_sequence<int, DEPTH>{}), Size<All>::value,
                static_cast<unsigned long long>(std::accumulate(steps.begin(), steps.end(), std::uint64_t{0})),
                text.c_str());
}
