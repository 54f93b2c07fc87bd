/** How the tools look; adopted beside the widget's own styles when they are loaded. */

export const styles = `
.menu { position: absolute; inset-block-start: calc(100% + 4px); inset-inline-end: 0; z-index: 3; min-width: 190px; white-space: nowrap; padding: 5px; border: 1px solid var(--line); border-radius: 14px; background: var(--bg); box-shadow: 0 12px 32px rgb(0 0 0 / 22%) }
.own .menu { inset-inline: 0 auto }
.menu.up { inset-block: auto calc(100% + 4px) }
.menu button { display: block; width: 100%; padding: 8px 12px; text-align: start }
.menu button:hover, .menu button:focus-visible { background: var(--bubble); outline-offset: -2px }
.menu .bad { color: var(--bad) }
.menu.row { display: grid; grid-template-columns: repeat(4, 1fr); min-width: 176px }
.menu.row button { padding: 6px 0; text-align: center; font-size: 1.3rem; line-height: 1.3 }
.side { position: absolute; inset: 0; z-index: 5; display: flex; flex-direction: column; background: var(--bg); overflow: auto }
@container (min-width: 620px) {
  .middle:has(.side) { grid-template-columns: minmax(0, 1fr) 280px }
  .side { position: static; border-inline-start: 1px solid var(--line) }
}
.side > div:first-child { display: flex; align-items: center; justify-content: space-between; padding: 8px 8px 4px 16px; padding-inline: 16px 8px; position: sticky; top: 0; background: var(--bg); z-index: 1; font-weight: 650 }
.person { position: relative; display: flex; align-items: center; gap: 10px; padding: 5px 16px; width: 100%; border-radius: 0; text-align: start }
.person:hover { background: var(--bubble) }
.person .face { grid-row: auto }
.person .nick { flex: 1; color: inherit; font-size: .95rem; font-weight: 500 }
.person:disabled { opacity: 1 }
.side .menu { position: static; margin: 2px 16px 8px; box-shadow: none }
.fields { display: grid; gap: 14px; padding: 8px 16px 16px }
.fields label { display: grid; gap: 4px; font-size: .85rem; color: var(--muted) }
.fields label.check { grid-template-columns: auto 1fr; gap: 10px; align-items: center; color: inherit; font-size: .9rem }
.fields :is(input:not([type="checkbox"]), textarea, select), dialog input { padding: 8px 10px; border: 1px solid var(--line); border-radius: 10px; background: var(--bg); color: var(--fg); width: 100%; font-size: .95rem }
input[type="checkbox"] { width: 18px; height: 18px; accent-color: var(--accent) }
.main { padding: 9px 16px; background: var(--accent); color: var(--on); font-weight: 650 }
.main.bad { background: light-dark(#b3261e, #d3483f); color: #fff }
dialog { width: min(22rem, 90vw); padding: 20px; border: 1px solid var(--line); border-radius: 18px; background: var(--bg); color: var(--fg); box-shadow: 0 24px 64px rgb(0 0 0 / 35%) }
dialog::backdrop { background: rgb(10 12 20 / 45%) }
dialog form { display: grid; gap: 14px }
dialog p { font-weight: 650; overflow-wrap: anywhere }
dialog div { display: flex; justify-content: end; gap: 8px }
dialog label { display: grid; gap: 4px; font-size: .85rem; color: var(--muted) }
.plain { padding: 9px 14px; font-weight: 600 }
.plain:hover { background: var(--bubble) }
.list { position: absolute; inset: auto 12px 100%; margin-bottom: 6px; max-height: 12rem; overflow: auto; padding: 5px; border: 1px solid var(--line); border-radius: 14px; background: var(--bg); box-shadow: 0 12px 32px rgb(0 0 0 / 22%); z-index: 4 }
.list li { padding: 7px 12px; border-radius: 9px; cursor: pointer }
.list [aria-selected="true"] { background: var(--bubble) }
`;
