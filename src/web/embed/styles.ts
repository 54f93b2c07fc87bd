/** How the widget looks: all of it in a shadow root, all colours from variables a page can set. */

export const styles = `
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
  --shade: 0 8px 28px rgb(0 0 0 / 22%);
  --r: var(--chat-radius, 16px);
  display: block;
  height: 32rem;
  color-scheme: light dark;
}
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
:host([hidden]) { display: none }
:host([mode=page]) { --r: 0px; height: 100dvh }
:host([mode=bubble]) { display: contents }
*, ::before { box-sizing: border-box }
:is(h2, p, ol, ul, pre, blockquote) { margin: 0; padding: 0; list-style: none }
button, input, textarea, select { font: inherit; color: inherit }
button { padding: 0; border: 0; border-radius: 10px; background: none; cursor: pointer }
button:disabled { opacity: .5; cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
h2, .sub, .nick, .quote, .clip, .status, .as bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }

.panel {
  position: relative;
  display: grid;
  grid-template: auto 1fr auto / minmax(0, 1fr);
  height: 100%;
  overflow: hidden;
  container-type: inline-size;
  border: 1px solid var(--line);
  border-radius: var(--r);
  background: var(--bg);
  color: var(--fg);
  font: var(--chat-font, 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif);
  text-align: start;
}
:host([mode=page]) .panel { border: 0 }
header { display: flex; align-items: center; padding: 10px; padding-inline-start: 16px; border-bottom: 1px solid var(--line) }
.title { flex: 1; min-width: 0 }
h2 { font-size: 1rem; line-height: 1.3 }
.sub { color: var(--muted); font-size: .8rem; line-height: 1.3 }
.icon { display: flex; flex: none; gap: 5px; align-items: center; justify-content: center; min-width: 38px; height: 38px; padding: 0 8px; color: var(--muted); font-size: .85rem }
.icon:hover, .icon[aria-expanded=true] { background: var(--bubble); color: var(--fg) }

.middle { position: relative; display: grid; min-height: 0 }
.log { overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; scrollbar-width: thin }
.log > div { display: flex; flex-direction: column; justify-content: end; min-height: 100%; padding: 12px 16px 8px }
.begin { padding: 12px; color: var(--muted); font-size: .9rem; text-align: center }
.begin:not(:has(+ ol > *)) { margin: auto }
.wait { display: grid; gap: 14px }
.wait i { width: 62%; height: 38px; border-radius: 14px; background: var(--bubble) }
.wait :last-child { justify-self: end }
.rule { display: flex; gap: 12px; align-items: center; margin: 14px 0 8px; color: var(--muted); font-size: .75rem; font-weight: 600 }
.rule::before, .rule::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
.rule span::first-letter { text-transform: uppercase }
.fresh { color: var(--bad) }
.fresh::before, .fresh::after { border-color: currentColor }

.m { position: relative; display: grid; grid-template-columns: 32px minmax(0, 1fr); column-gap: 10px; margin-top: 2px; border-radius: 12px }
.head { margin-top: 12px }
.face { display: grid; grid-row: 1 / span 2; place-items: center; align-self: end; width: 32px; height: 32px; border-radius: 50%; background: oklch(52% .12 var(--h)); color: #fff; font-size: .85rem; font-weight: 650 }
.who { display: flex; grid-column: 2; gap: 8px; align-items: baseline; min-width: 0; padding-inline: 4px }
.nick { color: light-dark(oklch(48% .13 var(--h)), oklch(80% .1 var(--h))); font-size: .8rem; font-weight: 650 }
time, .meta { color: var(--muted); font-size: .72rem; white-space: nowrap }
.cell { display: flex; grid-column: 2; flex-direction: column; align-items: start; min-width: 0 }
.own .cell { align-items: end }
.own .who { justify-content: end }
.b, .quote { max-width: min(86%, 42rem) }
.b { padding: 7px 12px; border-radius: 16px; border-end-start-radius: 5px; background: var(--bubble); overflow-wrap: anywhere; white-space: pre-wrap; unicode-bidi: plaintext }
.own .b { border-radius: 16px; border-end-end-radius: 5px; background: var(--own); color: #fff }
.own .b :is(a, .meta) { color: inherit }
.m .big { padding: 0; background: none; font-size: 2.2rem; line-height: 1.25 }
.m .gone { border: 1px dashed var(--line); background: none; color: var(--muted); font-style: italic }
.just { outline: 1px dashed var(--muted); outline-offset: 2px }
.sending { opacity: .65 }
.hit .b { box-shadow: 0 0 0 2px var(--accent) }
a { color: var(--accent); text-underline-offset: 2px }
code, pre { border-radius: 6px; background: color-mix(in srgb, currentColor 9%, transparent); font: .9em/1.45 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace }
code { padding: 1px 4px }
.b pre { margin: 4px 0; padding: 8px 10px; overflow-x: auto }
blockquote { border-inline-start: 3px solid; padding-inline-start: 8px; opacity: .8 }
mark { padding: 0 2px; border-radius: 4px; background: color-mix(in srgb, var(--accent) 24%, transparent); color: inherit; font-weight: 600 }
.quote { margin-bottom: 3px; padding: 2px 8px; border-inline-start: 3px solid var(--accent); border-radius: 0; color: var(--muted); font-size: .82rem }
.reacts { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 4px }
.reacts button { padding: 1px 8px; border: 1px solid var(--line); border-radius: 99px; background: var(--bg); font-size: .85rem }
.reacts [aria-pressed=true] { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 16%, var(--bg)) }
.fail { padding: 2px 4px; color: var(--bad); font-size: .78rem }
.fail button, .as button { text-decoration: underline; text-underline-offset: 2px }

.tools { position: absolute; inset: -14px 4px auto auto; inset-inline: auto 4px; z-index: 2; display: none; border: 1px solid var(--line); border-radius: 11px; background: var(--bg); box-shadow: var(--shade) }
.own .tools { inset-inline: 42px auto }
.m:is(:hover, :focus, :focus-within, .on) > .tools { display: flex }
.tools .icon { min-width: 34px; height: 32px; padding: 0 }

.latest { position: absolute; inset: auto 0 10px; width: max-content; height: 36px; margin: auto; padding: 0 16px; border-radius: 99px; background: var(--accent); box-shadow: var(--shade); color: var(--on); font-size: .85rem; font-weight: 600 }

footer { position: relative; padding: 6px 12px 12px }
.status { min-height: 1.4rem; padding-inline: 6px; color: var(--muted); font-size: .78rem }
.bar { display: flex; gap: 10px; align-items: center; margin-bottom: 8px; padding: 8px 14px; border-radius: 12px; background: var(--bubble); font-size: .88rem }
.bar > :first-child { flex: 1; min-width: 0 }
.clip { color: var(--muted) }
.bar > button:not(.icon) { color: var(--accent); font-weight: 650 }
.write { display: flex; align-items: end; gap: 6px; padding: 4px; border: 1px solid var(--line); border-radius: 18px }
.write:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent) }
.write textarea { flex: 1; min-width: 0; max-height: 9.5rem; padding: 8px 10px; border: 0; outline: 0; background: none; field-sizing: content; line-height: 22px; resize: none }
::placeholder { color: var(--muted); opacity: 1 }
.go { display: grid; place-items: center; width: 38px; height: 38px; border-radius: 14px; background: var(--accent); color: var(--on); font-size: .85rem }
.go:dir(rtl) { scale: -1 1 }
.as { display: flex; gap: 6px; padding: 5px 6px 0; color: var(--muted); font-size: .78rem }
.as button { flex: none }

.float { position: fixed; inset: auto 20px 20px; z-index: 2147483000; display: grid; gap: 14px; justify-items: end; pointer-events: none; font: 15px/1.45 system-ui, sans-serif }
.float > * { pointer-events: auto }
.float .panel { width: min(400px, 100%); height: min(620px, calc(100dvh - 120px)); box-shadow: var(--shade) }
.launch { position: relative; display: grid; place-items: center; width: 58px; height: 58px; border-radius: 50%; background: var(--accent); box-shadow: var(--shade); color: var(--on) }
.launch svg { scale: 1.3 }
.badge { position: absolute; inset: -4px -4px auto auto; min-width: 22px; padding: 0 6px; border-radius: 99px; background: light-dark(#b3261e, #d3483f); color: #fff; font-size: .75rem; font-weight: 700; line-height: 22px }
@media (max-width: 480px) {
  .float:has(.panel) { inset: 0 }
  .float .panel { height: 100dvh; border: 0; border-radius: 0 }
  .panel + .launch { display: none }
}
@media (prefers-reduced-motion: no-preference) {
  .float .panel { animation: rise .18s ease-out }
}
@keyframes rise { from { opacity: 0; translate: 0 10px } }
`;
