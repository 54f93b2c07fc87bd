/** XEP-0166, XEP-0167, XEP-0176: a call between clients of two servers, which is signalled through both and answered at each step. */
import { expect, test } from "vitest";
import type { Agent } from "./agent.ts";
import type { Cast } from "./personal.ts";

const NS = "urn:xmpp:jingle:1";
const ICE = "urn:xmpp:jingle:transports:ice-udp:1";
const description = `<description xmlns="urn:xmpp:jingle:apps:rtp:1" media="audio">
  <payload-type id="96" name="opus" clockrate="48000" channels="2"/></description>`;
const candidate = `<candidate component="1" foundation="1" generation="0" id="el0747fg11" ip="192.0.2.1" network="1"
  port="8998" priority="2130706431" protocol="udp" type="host"/>`;
const content = (...inner: string[]) =>
  `<content creator="initiator" name="voice" senders="both">${inner.join("")}</content>`;
const transport = (inner = "") =>
  `<transport xmlns="${ICE}" pwd="asd88fgpdd777uzjYhagZg" ufrag="8hhy">${inner}</transport>`;

export function calls(cast: () => Cast): void {
  test.each(["romeo", "paul"] as const)("%s calls the other, and the call ends (XEP-0166)", async (name) => {
    const { romeo, paul } = cast();
    const [caller, called] = name === "romeo" ? [romeo, paul] : [paul, romeo];
    expect((await caller.asks("disco", { to: called.jid })).features).toContain(NS);
    const says = async (from: Agent, to: Agent, action: string, inner: string, heard: string) => {
      const body = `<jingle xmlns="${NS}" action="${action}" sid="a-call-of-${name}" initiator="${caller.jid}">${inner}</jingle>`;
      expect(await from.asks("call", { to: to.jid, body })).toEqual({ event: "call", sender: to.jid, type: "result" });
      expect(await to.sees({ event: "called", type: action })).toMatchObject({
        sender: from.jid,
        body: expect.stringContaining(heard),
      });
    };
    await says(caller, called, "session-initiate", content(description, transport()), 'name="opus"');
    await says(called, caller, "session-info", `<ringing xmlns="urn:xmpp:jingle:apps:rtp:info:1"/>`, "ringing");
    await says(called, caller, "session-accept", content(description, transport()), 'name="opus"');
    await says(caller, called, "transport-info", content(transport(candidate)), 'ip="192.0.2.1"');
    await says(called, caller, "transport-info", content(transport(candidate)), 'ip="192.0.2.1"');
    await says(called, caller, "session-terminate", "<reason><success/></reason>", "success");

    const body = `<jingle xmlns="${NS}" action="session-initiate" sid="nobody-there"/>`;
    const gone = await caller.asks("call", { to: `${called.bare}/gone`, body });
    expect(gone).toEqual({ event: "call", error: "service-unavailable" });
  });
}
