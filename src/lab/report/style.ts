/** The report's style: light or dark as the reader has it, and on a narrow screen one block for each scheme. */
export const style = `
:root { color-scheme: light dark; --holds: #17703b; --falls: #b3261e; --races: #8a5a00; --line: #8888; --soft: #8882; }
@media (prefers-color-scheme: dark) { :root { --holds: #6fd195; --falls: #ff8a80; --races: #ffcc66; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
h1 { line-height: 1.2; }
a { color: inherit; }
svg { display: block; width: 100%; max-width: 40rem; margin: 1rem auto; }
svg line { stroke: currentColor; stroke-width: 2; }
svg rect { fill: Canvas; stroke: currentColor; stroke-width: 2; }
svg .attacker rect { stroke: var(--falls); stroke-dasharray: 6 4; }
svg text { fill: currentColor; font: 600 16px system-ui, sans-serif; text-anchor: middle; }
svg .note { font: 13px ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
.holds { color: var(--holds); } .falls { color: var(--falls); } .races, .unusable { color: var(--races); }
.cell { font-weight: 600; }
.cell small, .odds { font-weight: 400; display: inline-block; width: 100%; white-space: nowrap; color: GrayText; }
.unexpected { outline: 3px solid var(--falls); }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .4rem .8rem; }
ul { padding-left: 1.2rem; }
summary { cursor: pointer; font-weight: 600; }
details [id] { scroll-margin-top: 4rem; }
.timeline, .wide { overflow-x: auto; }
.timeline td { font: 14px/1.4 ui-monospace, monospace; padding: .15rem .6rem .15rem 0; border-color: var(--soft); }
.timeline td:first-child { white-space: nowrap; }
.timeline .forged, .timeline .changed { color: var(--falls); }
.timeline .kept { color: var(--races); }
@media (max-width: 44rem) {
  .table thead { position: absolute; left: -9999px; }
  .table tr, .table th, .table td { display: block; border: 0; padding: .1rem 0; }
  .table tr { border: 1px solid var(--line); border-radius: 8px; margin: .8rem 0; padding: .6rem .8rem; }
  .table td { display: grid; grid-template-columns: 9rem 1fr; }
  .table td::before { content: attr(data-attacker); }
  .wide th, .wide td { font-size: .8rem; padding: .3rem .4rem .3rem 0; }
  .timeline tr { display: grid; grid-template-columns: 5rem 1fr; border-bottom: 1px solid var(--soft); padding: .15rem 0; }
  .timeline td { border: 0; padding: 0; font-size: 13px; }
  .timeline td:nth-child(n + 3) { grid-column: 2; }
}
`;
