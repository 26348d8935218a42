/// The page's appearance, by the reader's preference light or dark.
enum PageStyle {
    static let text = """
        :root {
          color-scheme: light dark;
          --ground: #fbfbfa; --card: #ffffff; --ink: #1d2125; --faint: #6b7278; --grid: #e7e9ea; --edge: #dfe2e4;
          --better: 47, 158, 68; --worse: 224, 76, 48; --hover: #f1f4f6;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #14171a; --card: #1c2024; --ink: #e8eaec; --faint: #98a1a9; --grid: #2b3136; --edge: #2f353b;
            --better: 80, 190, 110; --worse: 255, 110, 85; --hover: #252b30;
          }
        }
        * { box-sizing: border-box }
        body { margin: 0 auto; max-width: 1120px; padding: 28px 20px 60px; background: var(--ground); color: var(--ink);
          font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
        h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -0.01em }
        h2 { font-size: 18px; margin: 0 0 2px }
        p { margin: 0 0 14px; color: var(--faint) }
        section { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 20px 22px;
          margin-top: 22px }
        nav { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 8px; padding: 8px 0;
          background: var(--ground) }
        nav label { display: flex; align-items: center; gap: 7px; padding: 4px 12px; border: 1px solid var(--edge);
          border-radius: 999px; background: var(--card); cursor: pointer; font-weight: 600 }
        nav label:has(input:not(:checked)) { opacity: 0.45 }
        nav label:has(input:focus-visible) { outline: 2px solid var(--peer) }
        nav input { position: absolute; opacity: 0; pointer-events: none }
        nav i { width: 11px; height: 11px; border-radius: 50%; background: var(--peer) }
        nav small { font-weight: 400; color: var(--faint) }
        svg { display: block; width: 100%; height: auto; overflow: visible;
          font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
        text { fill: var(--ink) }
        .tick { fill: var(--faint); font-size: 11px }
        .strong { font-weight: 700; fill: var(--ink) }
        .group { font-weight: 700; font-size: 13px }
        .grid { stroke: var(--grid) }
        .one { stroke: var(--faint); stroke-width: 1.5 }
        .row rect { fill: transparent }
        .rule { stroke: var(--grid); stroke-dasharray: 1 4 }
        .row:hover rect { fill: var(--hover) }
        .spread { stroke: var(--peer); stroke-width: 2; opacity: 0.45; stroke-linecap: round }
        .dot { fill: var(--peer); stroke: var(--card); stroke-width: 1 }
        .line { fill: none; stroke: var(--peer); stroke-width: 1.8; stroke-linejoin: round }
        .line.subject { stroke-width: 3 }
        .mark:hover .line { stroke-width: 4 }
        .beyond { fill: var(--peer); font-size: 11px; font-weight: 600 }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); gap: 22px 26px }
        .tables { display: flex; flex-wrap: wrap; gap: 22px 40px }
        .tables > * { max-width: 100% }
        figure { margin: 0 }
        figcaption { color: var(--faint); font-size: 13px; margin-bottom: 4px }
        figcaption b { color: var(--ink); font-size: 14px; margin-right: 4px }
        .scroll { overflow-x: auto }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 60% }
        th, td { padding: 4px 12px; text-align: right; white-space: nowrap }
        tbody th { text-align: left; font-weight: 400 }
        thead th.peer { border-bottom: 3px solid var(--peer) }
        tbody tr + tr { border-top: 1px solid var(--grid) }
        th.corner { text-align: left }
        .means { font-size: 13px }
        .means th, .means td { padding: 4px 7px }
        .better { background: rgba(var(--better), calc(var(--strength) * 0.38)) }
        .worse { background: rgba(var(--worse), calc(var(--strength) * 0.38)) }
        .best { font-weight: 700 }
        details { border-top: 1px solid var(--grid); padding: 8px 0 }
        summary { cursor: pointer; font-weight: 600 }
        details table { margin-top: 8px; font-size: 13px }
        ul { margin: 8px 0 0; padding-left: 20px; color: var(--faint) }
        @media print { nav { position: static } section { break-inside: avoid } }
        """
}

/// The legend's switches hide a peer's marks in every plot.
enum PageScript {
    static let text = """
        for (const box of document.querySelectorAll("nav input")) {
          box.addEventListener("change", () => {
            for (const mark of document.querySelectorAll(".mark." + box.dataset.peer)) {
              mark.style.display = box.checked ? "" : "none";
            }
          });
        }
        """
}
