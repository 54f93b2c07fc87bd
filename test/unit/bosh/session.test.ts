/** XEP-0124 §8, §14.3: when a session's row is written, and when its client hears of it. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { beforeEach, expect, test } from "vitest";
import type { Leg } from "../../../src/gate/bosh/responses.ts";
import type { Session } from "../../../src/gate/bosh/session.ts";
import { BOSH, Sessions } from "../../../src/gate/bosh/sessions.ts";
import { newStream, type StreamState } from "../../../src/gate/state.ts";
import type { Stream } from "../../../src/gate/stream.ts";
import { Alarms, DUE } from "../../../src/kernel/due.ts";
import { migrate, type SqlStorage, sqlOver } from "../../../src/kernel/sql.ts";
import type { Element } from "../../../src/xml/element.ts";
import { DEFAULT_LIMITS } from "../../../src/xml/reader.ts";

const HTTPBIND = "http://jabber.org/protocol/httpbind";
/** An answer to each IQ at once, and nothing to a message, which is on its way until it arrives. */
let pending: boolean;
let session: Session;
let sessions: Sessions;
/** Rows of the session, as they were written. */
let rows: string[];
let rid: number;
/** What the client was answered, and how many rows there were by then. */
let answers: string[];
let rowsBefore: number[];
const leg: Leg = {
  answer(text) {
    answers.push(text);
    rowsBefore.push(rows.length);
  },
};

function accept(state: StreamState, socket: Session): Stream {
  session = socket;
  const stream = {
    state,
    sent: 0,
    owed: false,
    get pending() {
      return pending;
    },
    snapshot: () => state,
    arrived: () => {},
    take({ name, attrs }: Element) {
      if (name === "message") pending = true;
      if (name !== "iq") return;
      socket.send(`<iq id="${attrs.id}" type="result"/>`);
      if (!pending) socket.settled();
    },
  };
  return stream as unknown as Stream;
}

beforeEach(() => {
  const database = new DatabaseSync(":memory:");
  [rows, answers, rowsBefore] = [[], [], []];
  rid = 10;
  pending = false;
  const storage: SqlStorage = {
    exec(query, ...values) {
      if (query.startsWith("INSERT OR REPLACE INTO bosh")) rows.push(String(values[1]));
      const found = database.prepare(query).all(...(values as SQLInputValue[]));
      return { toArray: () => found };
    },
  };
  migrate(storage, [DUE, BOSH]);
  const sql = sqlOver(storage);
  const alarms = new Alarms(sql, () => {});
  sessions = new Sessions({ gate: "local:0", sql, alarms, limits: DEFAULT_LIMITS, accept, lost: () => {} });
  const newcomer = () => newStream("s", { address: "", secure: true, site: "" }, Date.now());
  const text = `<body xmlns="${HTTPBIND}" rid="${rid}" to="capulet.example"/>`;
  sessions.request(text, true, leg, newcomer);
  rows.length = 0;
});

const iq = (id: string) => `<iq xmlns="jabber:client" type="get" id="${id}"/>`;
const message = `<message xmlns="jabber:client"/>`;

/** The session's next request. The one before it is open still, and is answered by what comes of it. */
function sends(inner: string): void {
  const text = `<body xmlns="${HTTPBIND}" rid="${++rid}" sid="${session.state.sid}">${inner}</body>`;
  sessions.request(text, true, leg);
}

test("a request without a session, from nobody who could begin one, is refused", () => {
  sessions.request(`<body xmlns="${HTTPBIND}" rid="1" to="capulet.example"/>`, true, leg);
  expect(answers).toEqual([expect.stringContaining("item-not-found")]);
});

test("what a request brings and what it is answered is one row, written before its client hears", async () => {
  sends(iq("a") + iq("b"));
  expect(answers).toEqual([expect.stringMatching(/id="a".*id="b"/)]);
  expect(rowsBefore).toEqual([1]);
  await Promise.resolve();
  expect(rows).toHaveLength(1);
});

test("a response to several stanzas waits until all of them are in custody", () => {
  sends(iq("a") + message + iq("b"));
  expect(answers).toEqual([]);
  pending = false;
  session.settled();
  expect(answers).toEqual([expect.stringMatching(/id="a".*id="b"/)]);
});
