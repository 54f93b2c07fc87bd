/** What goes to a component (XEP-0114): it has no acknowledgements, so what its connection takes counts as sent. */
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Federation, type FederationPorts } from "../../../src/bridge/federation.ts";
import type { Inward } from "../../../src/bridge/inward.ts";
import { bodyOf, MINUTE, Office, pass, REMOTE, SECOND } from "../peer/fake.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A bridge beside that object; a component is a list of what it was written. */
function bridge(office: Office): Federation {
  const inward = { waiting: () => new EventEmitter(), peer: () => office.wire() } as unknown as Inward;
  const facts = { domain: "capulet.example", hosts: ["capulet.example"], dialback: "", components: { [REMOTE]: "" } };
  const ports = { passed: { count: () => {} } } as unknown as FederationPorts;
  const federation = new Federation(inward, facts, ports);
  office.onReach = () => federation.link(REMOTE).reach();
  return federation;
}

test("what waits for a component reaches it as soon as it is there, in order", async () => {
  const office = new Office();
  const federation = bridge(office);
  for (const body of ["one", "two"]) office.says(body);
  await pass(5 * MINUTE);
  const written: string[] = [];
  federation.attach(REMOTE, {
    write(stanza, done) {
      written.push(bodyOf(stanza));
      done();
    },
  });
  await pass(SECOND / 10);
  expect(written).toEqual(["one", "two"]);
  await pass(15 * MINUTE);
  expect([written, office.errors]).toEqual([["one", "two"], []]);
});

test("what a component's connection did not take goes out again", async () => {
  const office = new Office();
  const federation = bridge(office);
  const written: string[] = [];
  let broken = true;
  federation.attach(REMOTE, {
    write(stanza, done) {
      if (!broken) written.push(bodyOf(stanza));
      done(broken ? new Error("EPIPE") : undefined);
    },
  });
  for (const body of ["one", "two"]) office.says(body);
  await pass(SECOND / 2);
  broken = false;
  await pass(5 * SECOND);
  expect(written).toEqual(["one", "two"]);
});
