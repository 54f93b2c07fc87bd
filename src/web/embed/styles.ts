/** How the widget looks: all of it in a shadow root, all colours from variables a page can set. */
import { css } from "lit";

export const styles = css`
:host {
  --bg: var(--chat-bg, light-dark(#fff, #14161f));
  --fg: var(--chat-fg, light-dark(#14161f, #eceef7));
  --muted: var(--chat-muted, light-dark(#5b6178, #9ca3ba));
  --line: var(--chat-border, light-dark(#e0e3ee, #2a2f42));
  --bubble: var(--chat-bubble, light-dark(#eff1f8, #212637));
  --accent: var(--chat-accent, light-dark(#3d47d9, #99a1ff));
  --on: var(--chat-on-accent, light-dark(#fff, #10121b));
  --own: var(--chat-own, light-dark(#3d47d9, #434de0));
  --bad: light-dark(#b3261e, #ff8f85);
  --r: var(--chat-radius, 16px);
  display: block;
  height: 32rem;
  max-height: 100%;
  color-scheme: light dark;
  contain: layout style;
}
:host([theme="light"]) { color-scheme: light }
:host([theme="dark"]) { color-scheme: dark }
:host([hidden]) { display: none }
:host([mode="page"]) { height: 100dvh; --r: 0px }
:host([mode="bubble"]) { display: contents }
*, ::before { box-sizing: border-box }
button, input, textarea, select { font: inherit; color: inherit }
button { cursor: pointer; border: 0; background: none; padding: 0; border-radius: 10px }
button:disabled { cursor: default; opacity: .5 }
h2, p, ol, ul, pre, blockquote { margin: 0; padding: 0; list-style: none }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; display: block }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }

.panel {
  position: relative;
  display: grid;
  grid-template-rows: auto 1fr auto;
  height: 100%;
  overflow: hidden;
  container-type: inline-size;
  background: var(--bg);
  color: var(--fg);
  border: 1px solid var(--line);
  border-radius: var(--r);
  font: var(--chat-font, 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif);
  text-align: start;
}
:host([mode="page"]) .panel { border: 0 }
header { display: flex; align-items: center; gap: 2px; padding: 10px 8px 10px 16px; border-bottom: 1px solid var(--line); padding-inline: 16px 8px }
.title { flex: 1; min-width: 0 }
h2 { font-size: 1rem; font-weight: 650; line-height: 1.3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.sub { color: var(--muted); font-size: .8rem; line-height: 1.3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.icon { display: grid; place-items: center; min-width: 38px; height: 38px; color: var(--muted); flex: none }
.icon:hover, .icon[aria-expanded="true"] { color: var(--fg); background: var(--bubble) }
.count { display: flex; gap: 5px; align-items: center; padding-inline: 10px; font-size: .85rem; font-variant-numeric: tabular-nums }

.middle { position: relative; min-height: 0; display: grid }
.log { overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; min-height: 0; scrollbar-width: thin }
.log > ol { display: flex; flex-direction: column; justify-content: end; min-height: 100%; padding: 12px 16px 8px }
.begin, .empty { color: var(--muted); font-size: .85rem; text-align: center; padding: 12px }
.empty { margin: auto; font-size: 1rem }
.wait { display: grid; gap: 14px; padding: 16px; margin-top: auto }
.wait i { height: 38px; width: 62%; border-radius: 14px; background: var(--bubble) }
.wait i:nth-child(2) { width: 44% }
.wait i:nth-child(3) { width: 54%; justify-self: end }
.rule { display: flex; align-items: center; gap: 12px; margin: 14px 0 8px; color: var(--muted); font-size: .75rem; font-weight: 600 }
.rule::before, .rule::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
.rule.fresh { color: var(--bad) }
.rule.fresh::before, .rule.fresh::after { border-color: currentColor }

.m { position: relative; display: grid; grid-template-columns: 32px minmax(0, 1fr); column-gap: 10px; margin-top: 2px; border-radius: 12px }
.m.head { margin-top: 12px }
.m:focus-visible { outline-offset: 0 }
.face { grid-row: 1 / span 2; align-self: end; width: 32px; height: 32px; border-radius: 50%; display: grid; place-items: center; font-weight: 650; font-size: .85rem; color: #fff; background: oklch(52% .12 var(--h)) }
.who { grid-column: 2; display: flex; gap: 8px; align-items: baseline; padding-inline-start: 4px; font-size: .8rem; min-width: 0 }
.nick { font-weight: 650; color: light-dark(oklch(48% .13 var(--h)), oklch(80% .1 var(--h))); overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
time, .meta { color: var(--muted); font-size: .72rem; font-variant-numeric: tabular-nums; white-space: nowrap }
.cell { grid-column: 2; display: flex; flex-direction: column; align-items: start; min-width: 0 }
.own .cell { align-items: end }
.own .who { justify-content: end }
.b { max-width: min(86%, 42rem); padding: 7px 12px; border-radius: 16px; background: var(--bubble); overflow-wrap: anywhere; white-space: pre-wrap; unicode-bidi: plaintext }
.m:not(.own) .b { border-end-start-radius: 5px }
.own .b { background: var(--own); color: #fff; border-end-end-radius: 5px }
.own .b a, .own .b code, .own .b mark { color: inherit }
.big { background: none !important; font-size: 2.2rem; line-height: 1.25; padding: 0 }
.gone { background: none; border: 1px dashed var(--line); color: var(--muted) !important; font-style: italic }
.own .gone { background: none }
.just { border: 1px dashed var(--muted) }
.sending { opacity: .65 }
.hit .b { box-shadow: 0 0 0 2px var(--accent) }
.b a { color: var(--accent); text-underline-offset: 2px }
.b strong { font-weight: 700 }
.b code, .b pre { font: .9em/1.45 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; background: color-mix(in srgb, currentColor 9%, transparent); border-radius: 6px }
.b code { padding: 1px 4px }
.b pre { padding: 8px 10px; overflow-x: auto; margin: 4px 0 }
blockquote { border-inline-start: 3px solid color-mix(in srgb, currentColor 35%, transparent); padding-inline-start: 8px; opacity: .85 }
mark { background: color-mix(in srgb, var(--accent) 24%, transparent); color: inherit; border-radius: 4px; padding: 0 2px; font-weight: 600 }
.quote { display: block; max-width: min(86%, 42rem); margin-bottom: 3px; padding: 2px 8px; border-inline-start: 3px solid var(--accent); border-radius: 0; color: var(--muted); font-size: .82rem; text-align: start; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.reacts { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 4px }
.reacts button { padding: 1px 8px; border: 1px solid var(--line); border-radius: 99px; background: var(--bg); font-size: .85rem; font-variant-numeric: tabular-nums }
.reacts [aria-pressed="true"] { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 16%, var(--bg)) }
.fail { color: var(--bad); font-size: .78rem; padding: 2px 4px }
.fail button { text-decoration: underline; font-weight: 600 }

.tools { position: absolute; inset-block-start: -14px; inset-inline-end: 4px; z-index: 2; display: none; border: 1px solid var(--line); border-radius: 11px; background: var(--bg); box-shadow: 0 4px 14px rgb(0 0 0 / 12%) }
.own .tools { inset-inline: 42px auto }
.m:is(:hover, :focus, :focus-within, .on) > .tools { display: flex }
.tools .icon { min-width: 34px; height: 32px }
.menu { position: absolute; inset-block-start: calc(100% + 4px); inset-inline-end: 0; z-index: 3; min-width: 190px; padding: 5px; border: 1px solid var(--line); border-radius: 14px; background: var(--bg); box-shadow: 0 12px 32px rgb(0 0 0 / 22%) }
.own .menu { inset-inline: 0 auto }
.menu.up { inset-block: auto calc(100% + 4px) }
.menu button { display: block; width: 100%; padding: 8px 12px; text-align: start }
.menu button:hover, .menu button:focus-visible { background: var(--bubble); outline-offset: -2px }
.menu .bad { color: var(--bad) }
.menu.row { display: grid; grid-template-columns: repeat(4, 1fr); min-width: 176px }
.menu.row button { padding: 6px 0; text-align: center; font-size: 1.3rem; line-height: 1.3 }

.latest { position: absolute; inset-block-end: 10px; inset-inline: 0; margin: auto; width: max-content; height: 36px; padding: 0 16px; border-radius: 99px; background: var(--accent); color: var(--on); font-size: .85rem; font-weight: 600; box-shadow: 0 4px 16px rgb(0 0 0 / 22%) }

footer { padding: 6px 12px 12px }
.status { min-height: 1.35rem; padding-inline: 6px; color: var(--muted); font-size: .78rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.bar { display: flex; align-items: center; gap: 10px; padding: 10px 14px; margin-bottom: 8px; border-radius: 12px; background: var(--bubble); font-size: .88rem }
.bar > :first-child { flex: 1; min-width: 0 }
.bar .clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--muted) }
.bar button:not(.icon) { color: var(--accent); font-weight: 650; padding: 2px 6px; flex: none }
form.write { display: flex; align-items: end; gap: 6px; padding: 4px; border: 1px solid var(--line); border-radius: 18px; background: var(--bg) }
form.write:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent) }
textarea { flex: 1; min-width: 0; field-sizing: content; min-height: 38px; max-height: 9.5rem; padding: 8px 10px; border: 0; background: none; resize: none; outline: none; line-height: 22px }
textarea::placeholder { color: var(--muted); opacity: 1 }
.go { display: grid; place-items: center; width: 38px; height: 38px; border-radius: 14px; background: var(--accent); color: var(--on); flex: none; font-weight: 650; font-size: .85rem }
:dir(rtl) .flip { scale: -1 1 }
.as { display: flex; gap: 4px; align-items: baseline; color: var(--muted); font-size: .78rem; padding: 5px 6px 0; min-width: 0 }
.as b { color: var(--fg); overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.as button { text-decoration: underline; text-underline-offset: 2px; flex: none }
.list { position: absolute; inset: auto 12px 100%; margin-bottom: 6px; max-height: 12rem; overflow: auto; padding: 5px; border: 1px solid var(--line); border-radius: 14px; background: var(--bg); box-shadow: 0 12px 32px rgb(0 0 0 / 22%); z-index: 4 }
.list li { padding: 7px 12px; border-radius: 9px; cursor: pointer }
.list [aria-selected="true"] { background: var(--bubble) }

.side { position: absolute; inset: 0; z-index: 5; display: flex; flex-direction: column; background: var(--bg); overflow: auto }
@container (min-width: 620px) { .side { inset-inline-start: auto; width: 300px; border-inline-start: 1px solid var(--line) } }
.side > div:first-child { display: flex; align-items: center; justify-content: space-between; padding: 8px 8px 4px 16px; padding-inline: 16px 8px; position: sticky; top: 0; background: var(--bg); z-index: 1; font-weight: 650 }
.person { position: relative; display: flex; align-items: center; gap: 10px; padding: 5px 16px; width: 100%; border-radius: 0; text-align: start }
.person:hover { background: var(--bubble) }
.person .face { grid-row: auto }
.person .nick { flex: 1; color: inherit; font-weight: 500 }
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

.float { position: fixed; inset-block-end: max(20px, env(safe-area-inset-bottom)); inset-inline-end: 20px; z-index: 2147483000; display: grid; justify-items: end; gap: 14px; font: 15px/1.45 system-ui, sans-serif }
.float .panel { width: min(400px, calc(100vw - 40px)); height: min(620px, calc(100dvh - 120px)); box-shadow: 0 24px 70px -12px rgb(0 0 0 / 38%) }
.launch { position: relative; width: 58px; height: 58px; border-radius: 50%; background: var(--accent); color: var(--on); display: grid; place-items: center; box-shadow: 0 10px 30px -4px rgb(0 0 0 / 38%) }
.launch svg { width: 26px; height: 26px }
.badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 99px; background: light-dark(#b3261e, #d3483f); color: #fff; font-size: .75rem; font-weight: 700; line-height: 22px; text-align: center }
@media (max-width: 480px) {
  .float:has(.panel) { inset: 0; gap: 0 }
  .float .panel { width: 100vw; height: 100dvh; border: 0; border-radius: 0; --r: 0px }
  .float:has(.panel) .launch { display: none }
}
@media (prefers-reduced-motion: no-preference) {
  .log.smooth { scroll-behavior: smooth }
  .wait i { animation: wait 1.4s ease-in-out infinite alternate }
  .float .panel { animation: rise .18s ease-out }
}
@keyframes wait { to { opacity: .45 } }
@keyframes rise { from { opacity: 0; translate: 0 10px } }
.h0 { --h: 15 } .h1 { --h: 45 } .h2 { --h: 75 } .h3 { --h: 105 } .h4 { --h: 135 } .h5 { --h: 165 }
.h6 { --h: 195 } .h7 { --h: 225 } .h8 { --h: 255 } .h9 { --h: 285 } .h10 { --h: 315 } .h11 { --h: 345 }
`;
