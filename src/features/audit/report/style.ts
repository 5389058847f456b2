/** How the page looks, in light, in dark and on paper. */
export const STYLE = `
:root { --paper: #fff; --ink: #1d2129; --soft: #5b6472; --line: #d5d9e0; --box: #f4f5f7; --good: #1a7f47; --bad: #b3261e; --open: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #e6e8ec; --soft: #a0a8b5; --line: #353b45; --box: #1e2229; --good: #4cc38a; --bad: #ff8a80; --open: #7fb2ff; }
}
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; } h3 { font-size: 1rem; overflow-wrap: anywhere; } h4 { margin: .5rem 0; font-size: .9rem; }
.path, .small, footer { color: var(--soft); font-size: .875rem; }
.state { padding: .1rem .5rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .875rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.proof, .wrong { padding: .6rem .8rem; border-left: .3rem solid var(--good); background: var(--box); overflow-wrap: anywhere; } .wrong { border-color: var(--bad); font-weight: 600; }
pre { padding: .8rem; background: var(--box); white-space: pre-wrap; overflow-wrap: anywhere; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .4rem .8rem; align-items: center; }
.track { position: relative; height: 1.1rem; background: var(--box); border: 1px solid var(--line); } .bar { position: absolute; inset-block: 0; background: currentColor; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; } td { overflow-wrap: anywhere; }
td code { font-size: .75rem; } article { border-top: 1px solid var(--line); } footer { margin-top: 2rem; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --box: #fff; --good: #060; --bad: #900; --open: #036; }
  body { max-width: none; padding: 0; font-size: 9pt; } article, tr { break-inside: avoid; } .bar { print-color-adjust: exact; } .wide { overflow: visible; }
}
`;
