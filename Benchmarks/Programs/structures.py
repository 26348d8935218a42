"""Large structures that are built whole and dropped whole: a linked list, a graph, an index of strings, rows of a table."""

import gc
import random
import sys


class Node:
    __slots__ = ("value", "next", "edges")

    def __init__(self, value, following):
        self.value = value
        self.next = following
        self.edges = []


def graph(source, count):
    nodes = []
    last = None
    for value in range(count):
        last = Node(value, last)
        nodes.append(last)
    for node in nodes:
        node.edges.extend(nodes[source.randrange(count)] for _ in range(4))
    return nodes


def index(source, count):
    return {f"entry {source.randrange(1 << 30):x} of {number}": [number, str(number) * 3] for number in range(count)}


def rows(count):
    return [(number, f"row {number}", number * 0.25, bytes(number % 700)) for number in range(count)]


def main(rounds):
    source = random.Random(2)
    total = 0
    for _ in range(rounds):
        kept = (graph(source, 60000), index(source, 60000), rows(60000))
        total += sum(len(part) for part in kept)
        kept = None
        gc.collect()
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
