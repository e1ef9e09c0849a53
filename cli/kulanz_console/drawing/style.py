"""How the page looks: light, dark and on paper, from 360 pixels on. It names no address and no font to fetch."""

STYLE = """
:root { color-scheme: light dark; --page: #fbfcfd; --card: #fff; --line: #d9e0e6; --ink: #14202b; --soft: #55636f;
  --granted: #2d7db5; --offered: #7b5fb0; --waiting: #b27600; --stopped: #b3261e; --since: #3d7a52; --rest: #98a4ae;
  --wash: #eef2f5; --accent: #14608f; }
@media (prefers-color-scheme: dark) { :root { --page: #10161b; --card: #182027; --line: #33404a; --ink: #e8edf1;
  --soft: #a3b0ba; --granted: #5aa7dc; --offered: #ab92dd; --waiting: #e0a63a; --stopped: #ef7d75; --since: #86c29a;
  --rest: #6f7d88;
  --wash: #232d35; --accent: #86c3ea; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main, footer { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem; }
footer { color: var(--soft); font-size: .875rem; padding-top: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .5rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.0625rem; margin: 0 0 .75rem; }
h3 { font-size: .9375rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.lead { color: var(--soft); }
.state { display: inline-block; margin: 0; padding: .1rem .5rem; border-radius: .25rem; font-size: .8125rem;
  font-weight: 600; background: var(--wash); border-inline-start: .25rem solid var(--rest); }
.state.closed { border-color: var(--granted); } .state.waits { border-color: var(--waiting); }
.state.stopped { border-color: var(--stopped); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem;
  margin-top: 1.25rem; min-width: 0; }
.beside { display: grid; gap: 0 1.25rem; grid-template-columns: minmax(0, 1fr); }
dl { margin: 0; } dd { margin: 0; overflow-wrap: anywhere; } dt { color: var(--soft); font-size: .875rem; }
.totals { display: grid; gap: .75rem; } .totals + h3 { border-top: 1px solid var(--line); padding-top: .75rem; }
.totals dd { font-variant-numeric: tabular-nums; }
.totals .large { display: block; font-size: 1.625rem; font-weight: 700; line-height: 1.25; }
.totals .small, .note { color: var(--soft); font-size: .875rem; }
.facts { display: grid; gap: .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th, td { text-align: start; vertical-align: baseline; padding: .35rem .75rem .35rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-inline-end: 0; }
thead th { color: var(--soft); font-size: .875rem; border-bottom: 1px solid var(--line); }
td, tbody th { overflow-wrap: break-word; max-width: 32rem; } td:has(svg) { width: 100%; }
td.number, th.number { text-align: end; white-space: nowrap; }
.sum th, .sum td { border-top: 1px solid var(--line); font-weight: 600; }
time { white-space: nowrap; }
code, pre { font: .8125rem/1.5 ui-monospace, "SF Mono", Consolas, "Noto Sans Mono", monospace; }
code { overflow-wrap: anywhere; background: var(--wash); padding: .05rem .25rem; border-radius: .25rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--wash); padding: .75rem; border-radius: .25rem;
  margin: 0; }
svg { display: block; } figure { margin: 0 0 1.25rem; min-width: 0; }
figcaption { font-size: .9375rem; font-weight: 600; margin-bottom: .5rem; overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.words { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; font-size: .8125rem;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; } .words span { min-width: 0; }
.figure { margin-inline-start: auto; } .bar-row { margin-bottom: .375rem; }
ol { margin: 0; padding-inline-start: 1.25rem; } li { overflow-wrap: anywhere; }
.wide, pre { margin-top: 1rem; } h2 + .wide { margin-top: 0; } dl + p { margin-top: .75rem; }
pre { margin-bottom: 0; }
.reason { min-width: 5rem; } .reason svg { margin-top: .125rem; }
.bar, .key { fill: var(--rest); background: var(--rest); }
.bar.granted, .key.granted { fill: var(--granted); background: var(--granted); }
.bar.offered, .key.offered { fill: var(--offered); background: var(--offered); }
.bar.waiting, .key.waiting { fill: var(--waiting); background: var(--waiting); }
.bar.stopped, .key.stopped { fill: var(--stopped); background: var(--stopped); }
.bar.since, .key.since { fill: var(--since); background: var(--since); }
.keys { list-style: none; margin: .5rem 0 1rem; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem;
  font-size: .875rem; }
.key { display: inline-block; width: .75rem; height: .75rem; margin-inline-end: .375rem; border-radius: .125rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (min-width: 34rem) { .facts > div { display: grid; grid-template-columns: 10rem minmax(0, 1fr); }
  .totals { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (min-width: 60rem) { .beside { grid-template-columns: repeat(2, minmax(0, 1fr)); align-items: start; } }
@media print { :root { color-scheme: light; --page: #fff; --card: #fff; --line: #999; --ink: #000; --soft: #333;
  --granted: #2d7db5; --offered: #7b5fb0; --waiting: #b27600; --stopped: #b3261e; --since: #3d7a52; --rest: #98a4ae;
  --wash: #fff; }
  @page { margin: 15mm; } body { font-size: 10pt; } main, footer { max-width: none; padding: 0; }
  section { break-inside: auto; border-width: 1px 0 0; border-radius: 0; padding: .75rem 0 0; }
  h2, h3, caption { break-after: avoid; } tr, figure, .bar-row, .totals > div, .facts > div { break-inside: avoid; }
  thead { display: table-header-group; } .wide { overflow: visible; } td, tbody th, time { overflow-wrap: anywhere; }
  tbody th { min-width: 6rem; } .pictures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  footer { margin-top: 1rem; }
  td.number { white-space: normal; }
  .bar, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
