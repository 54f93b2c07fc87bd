import { expect, test } from "vitest";
import { difference, pattern } from "../../support/match.ts";

const differs = (wanted: string, got: string, extra = false) => difference(pattern(wanted), pattern(got), { extra });

test.each([
  [`<message id="1" type="chat"/>`, `<message type="chat" id="1"/>`],
  [`<message id="*"/>`, `<message id="x"/>`],
  [`<message><body>*</body></message>`, `<message><body>anything</body></message>`],
  [`<message>\n  <body>a</body>\n</message>`, `<message><body>a</body></message>`],
  [`<iq xmlns="jabber:client"/>`, `<iq/>`],
])("%s is matched by %s", (wanted, got) => {
  expect(differs(wanted, got)).toBeUndefined();
});

test.each([
  [`<message/>`, `<presence/>`, "<message/> expected, not <presence/>"],
  [`<message id="*"/>`, `<message/>`, 'attribute id="*" is missing'],
  [`<message/>`, `<message id="1"/>`, 'unexpected attribute id="1"'],
  [`<message type="chat"/>`, `<message type="normal"/>`, 'type="chat" expected, not "normal"'],
  [
    `<message><body>a</body></message>`,
    `<message><body>b</body></message>`,
    'message/body: text "a" expected, not "b"',
  ],
  [`<message/>`, `<message><body>b</body></message>`, 'unexpected <body xmlns="jabber:client"/>'],
  [`<message><body>b</body></message>`, `<message/>`, "message/body: missing"],
  [`<iq><query xmlns="a"/></iq>`, `<iq><query xmlns="b"/></iq>`, 'iq/query: xmlns="a" expected, not "b"'],
])("%s is not matched by %s", (wanted, got, why) => {
  expect(differs(wanted, got)).toContain(why);
});

test("extra lets more attributes and children be there, in order", () => {
  const wanted = `<message><body>a</body></message>`;
  expect(differs(wanted, `<message id="1"><x xmlns="y"/><body>a</body><z xmlns="y"/></message>`, true)).toBeUndefined();
  expect(differs(wanted, `<message id="1"><body>b</body></message>`, true)).toContain('text "a" expected');
});
