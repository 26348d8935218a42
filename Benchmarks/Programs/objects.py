"""Objects as Python programs make them: records, dictionaries, strings, nested lists, JSON, and a cache that evicts."""

import collections
import json
import random
import sys


class Record:
    __slots__ = ("name", "tags", "values", "parent")

    def __init__(self, name, tags, values, parent):
        self.name = name
        self.tags = tags
        self.values = values
        self.parent = parent


def records(source, count):
    made = []
    for i in range(count):
        parent = made[source.randrange(len(made))] if made else None
        tags = {f"tag{source.randrange(500)}": source.random() for _ in range(source.randrange(6))}
        made.append(Record(f"record-{i:07}", tags, [source.randrange(1 << 40) for _ in range(source.randrange(12))], parent))
    return made


def main(rounds):
    source = random.Random(1)
    cache = collections.OrderedDict()
    total = 0
    for round_number in range(rounds):
        made = records(source, 20000)
        by_tag = collections.defaultdict(list)
        for record in made:
            for tag in record.tags:
                by_tag[tag].append(record)
        text = json.dumps([{"name": r.name, "tags": r.tags, "values": r.values} for r in made[:8000]])
        parsed = json.loads(text)
        words = " ".join(entry["name"].replace("-", " ") for entry in parsed).split()
        for word in words:
            cache[(round_number, word)] = len(word) * "x"
            if len(cache) > 30000:
                cache.popitem(last=False)
        total += len(by_tag) + len(words) + sum(len(r.values) for r in made)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
