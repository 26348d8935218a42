/// What makes the page of a profile move.
enum FlamePageScript {
    static let text = #"""
        "use strict";
        const profile = JSON.parse(document.getElementById("profile").textContent);
        const byId = id => document.getElementById(id);
        let root, zoomed, pattern = null, sortColumn = "self", descending = true;

        function bytes(value) {
          const units = ["B", "KiB", "MiB", "GiB", "TiB"];
          let size = Math.abs(value), unit = 0;
          while (size >= 1024 && unit < 4) { size /= 1024; unit++; }
          return (value < 0 ? "−" : "") + (unit && size < 100 ? size.toFixed(1) : Math.round(size)) + " " + units[unit];
        }
        const difference = value => (value > 0 ? "+" : "") + bytes(value);

        // A node's width is what it has now, or had before where that is more, so that what is gone
        // can still be seen.
        function build() {
          root = { name: "all", place: "", children: new Map(), now: 0, before: 0, blocks: 0, selfNow: 0, selfBefore: 0 };
          for (const [stack, now, blocks, before] of profile.stacks) {
            let node = root;
            const add = node => { node.now += now; node.before += before; node.blocks += blocks; };
            add(node);
            for (const number of stack) {
              let child = node.children.get(number);
              if (!child) {
                child = { name: profile.names[number], place: profile.places[number], children: new Map(), parent: node,
                  now: 0, before: 0, blocks: 0, selfNow: 0, selfBefore: 0 };
                node.children.set(number, child);
              }
              node = child;
              add(node);
            }
            node.selfNow += now;
            node.selfBefore += before;
          }
          measure(root);
          zoomed = root;
        }
        function measure(node) {
          let children = 0;
          for (const child of node.children.values()) children += measure(child);
          node.width = Math.max(children + Math.max(node.selfNow, profile.compared ? node.selfBefore : 0), 0);
          return node.width;
        }

        function color(node) {
          if (profile.compared) {
            const most = Math.max(node.now, node.before, 1);
            const change = (node.now - node.before) / most;
            const light = 88 - 28 * Math.abs(change);
            return change >= 0 ? `hsl(4 80% ${light}%)` : `hsl(208 75% ${light}%)`;
          }
          let hash = 0;
          for (const c of node.name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
          return `hsl(${18 + hash % 38} ${70 + hash % 17}% ${66 + (hash >> 4) % 12}%)`;
        }

        function describe(node) {
          const share = root.now > 0 ? (100 * node.now / root.now).toFixed(1) + " %" : "";
          let text = `${node.name} — ${bytes(node.now)} in about ${node.blocks.toLocaleString("en")} blocks`;
          if (share) text += `, ${share} of all`;
          if (profile.compared) text += `; ${bytes(node.before)} before, ${difference(node.now - node.before)}`;
          return text + (node.place ? ` (${node.place})` : "");
        }

        function draw() {
          const graph = byId("graph"), width = graph.clientWidth;
          graph.textContent = "";
          let depth = 0;
          const ancestors = [];
          for (let node = zoomed.parent; node; node = node.parent) ancestors.unshift(node);
          const place = (node, x, w, level, faint) => {
            depth = Math.max(depth, level);
            const frame = document.createElement("button");
            frame.className = "frame" + (faint ? " faint" : "") + (pattern && pattern.test(node.name) ? " match" : "");
            frame.style.cssText = `left:${x}px;width:${w}px;top:${level * 18}px;background:${color(node)}`;
            frame.textContent = w > 24 ? node.name : "";
            frame.title = describe(node);
            frame.dataset.name = node.name;
            frame.onclick = () => { zoomed = node; draw(); };
            frame.onmouseenter = frame.onfocus = () => { byId("detail").textContent = describe(node); };
            graph.append(frame);
          };
          ancestors.forEach((node, level) => place(node, 0, width, level, true));
          const descend = (node, x, w, level) => {
            if (w < 1) return;
            place(node, x, w, level, false);
            let left = x;
            for (const child of [...node.children.values()].sort((a, b) => b.width - a.width)) {
              const part = node.width > 0 ? w * child.width / node.width : 0;
              descend(child, left, part, level + 1);
              left += part;
            }
          };
          descend(zoomed, 0, width, ancestors.length);
          graph.style.height = (depth + 1) * 18 + "px";
        }

        // What functions allocate themselves, and with what they call: recursion counts once.
        function functions() {
          const table = new Map();
          const visit = (node, above) => {
            const entry = table.get(node.name) || { name: node.name, place: node.place, self: 0, total: 0, before: 0, totalBefore: 0 };
            table.set(node.name, entry);
            entry.self += node.selfNow;
            entry.before += node.selfBefore;
            const isNew = !above.has(node.name);
            if (isNew) { entry.total += node.now; entry.totalBefore += node.before; above.add(node.name); }
            for (const child of node.children.values()) visit(child, above);
            if (isNew) above.delete(node.name);
          };
          for (const child of root.children.values()) visit(child, new Set());
          for (const entry of table.values()) entry.change = entry.total - entry.totalBefore;
          return [...table.values()];
        }

        function fill() {
          const columns = [["self", "Itself"], ["total", "With calls"]];
          if (profile.compared) columns.push(["change", "Change"]);
          columns.push(["name", "Function"]);
          const head = document.createElement("tr");
          for (const [key, title] of columns) {
            const cell = document.createElement("th");
            cell.textContent = title + (key === sortColumn ? (descending ? " ▾" : " ▴") : "");
            cell.className = key === "name" ? "" : "number";
            cell.onclick = () => {
              descending = sortColumn === key ? !descending : key !== "name";
              sortColumn = key;
              fill();
            };
            head.append(cell);
          }
          byId("table").tHead.replaceChildren(head);
          const rows = functions().filter(entry => !pattern || pattern.test(entry.name));
          rows.sort((a, b) => {
            const order = sortColumn === "name" ? a.name.localeCompare(b.name) : a[sortColumn] - b[sortColumn];
            return descending ? -order : order;
          });
          byId("table").tBodies[0].replaceChildren(...rows.slice(0, 500).map(entry => {
            const row = document.createElement("tr");
            for (const [key] of columns) {
              const cell = document.createElement("td");
              if (key === "name") {
                cell.className = "name";
                cell.textContent = entry.name;
                if (entry.place) {
                  const place = document.createElement("small");
                  place.textContent = entry.place;
                  cell.append(place);
                }
              } else {
                cell.className = "number" + (key === "change" ? entry.change > 0 ? " grown" : entry.change < 0 ? " shrunk" : "" : "");
                cell.textContent = key === "change" ? difference(entry.change) : bytes(entry[key]);
              }
              row.append(cell);
            }
            row.onclick = () => { byId("search").value = "^" + entry.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "$"; search(); };
            return row;
          }));
        }

        // Of nested matches the outermost counts.
        function search() {
          const text = byId("search").value;
          pattern = null;
          byId("found").textContent = "";
          if (text) {
            try { pattern = new RegExp(text, "i"); } catch { byId("found").textContent = "not a regular expression"; }
          }
          if (pattern) {
            let sum = 0;
            const visit = node => {
              if (node !== root && pattern.test(node.name)) sum += node.now;
              else for (const child of node.children.values()) visit(child);
            };
            visit(root);
            const share = root.now > 0 ? ` (${(100 * sum / root.now).toFixed(1)} %)` : "";
            byId("found").textContent = `matches: ${bytes(sum)}${share}`;
          }
          draw();
          fill();
        }

        // Lines "a;b;c BYTES".
        function compare(text) {
          const numbers = new Map(profile.names.map((name, number) => [name, number]));
          const stacks = new Map(profile.stacks.filter(stack => stack[1] > 0).map(([stack, now, blocks]) =>
            [stack.join(), [stack, now, blocks, 0]]));
          for (const line of text.split("\n")) {
            const found = /^(.*?)(?: \d+)? (\d+)\s*$/.exec(line);
            if (!found) continue;
            const stack = found[1].split(";").map(name => {
              if (!numbers.has(name)) { numbers.set(name, profile.names.length); profile.names.push(name); profile.places.push(""); }
              return numbers.get(name);
            });
            const entry = stacks.get(stack.join()) || [stack, 0, 0, 0];
            entry[3] += Number(found[2]);
            stacks.set(stack.join(), entry);
          }
          profile.stacks = [...stacks.values()];
          profile.compared = true;
          show();
        }

        function show() {
          build();
          document.title = byId("title").textContent = profile.title;
          let text = `${bytes(root.now)} ${profile.kind}, estimated from samples of one block in ${bytes(profile.rate)} on average`;
          if (profile.seconds) text += `, within ${profile.seconds} s`;
          if (profile.compared) text += `; ${bytes(root.before)} in the earlier profile: red grew, blue shrank`;
          byId("summary").textContent = text + ".";
          search();
        }

        byId("search").oninput = search;
        byId("reset").onclick = () => { zoomed = root; byId("search").value = ""; search(); };
        byId("compare").onchange = async event => { if (event.target.files[0]) compare(await event.target.files[0].text()); };
        addEventListener("resize", draw);
        addEventListener("keydown", event => { if (event.key === "Escape") byId("reset").click(); });
        show();

        """#
}
