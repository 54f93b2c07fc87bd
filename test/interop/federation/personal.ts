/** What somebody shows of himself, and what is kept of what he hears: vCards, avatars, carbons, the archive. */
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Agent } from "./agent.ts";

/** Who plays, now: they log in again in between. Each has the other's presence. */
export interface Cast {
  romeo: Agent;
  paul: Agent;
  /** A second client of romeo's, of another resource. */
  login(): Agent;
}

export function personal(cast: () => Cast): void {
  const both = () => {
    const { romeo, paul } = cast();
    return [
      [romeo, paul],
      [paul, romeo],
    ] as const;
  };

  test("a vCard is read from the other side (XEP-0054)", async () => {
    for (const [owner, reader] of both()) {
      const body = `I am ${owner.bare}`;
      expect(await owner.asks("introduce", { body })).toEqual({ event: "introduce" });
      expect(await reader.asks("read", { to: owner.bare })).toMatchObject({ sender: owner.bare, body });
    }
  });

  test("an avatar is told of, fetched, in the vCard, and its hash in presence (XEP-0084, XEP-0153, XEP-0398)", async () => {
    for (const [owner, reader] of both()) {
      const picture = png(owner.bare);
      const photo = createHash("sha1").update(picture).digest("hex");
      expect(await owner.asks("show", { body: picture.toString("base64") })).toEqual({ event: "show", photo });
      await reader.sees({ event: "avatar", sender: owner.bare, photo });
      expect(await reader.asks("fetch", { to: owner.bare, photo })).toMatchObject({ sender: owner.bare, photo });
      // Ours sends presence by itself; others wait for the client's next.
      if (owner !== cast().romeo) owner.do("appear", { body: "with a face" });
      await reader.sees({ event: "presence", type: "available", sender: owner.jid, photo });
      expect(await reader.asks("read", { to: owner.bare })).toMatchObject({ body: `I am ${owner.bare}`, photo });
    }
  });

  test("every client of an account has what was said with the other side, and its archive once (XEP-0280, XEP-0313)", async () => {
    const { romeo, paul, login } = cast();
    const other = login();
    try {
      const { jid } = await other.sees({ event: "ready" });
      await paul.sees({ event: "presence", type: "available", sender: jid as string });
      for (const client of [romeo, other]) expect(await client.asks("copy")).toEqual({ event: "copy" });
      paul.do("message", { to: romeo.jid, body: "to one of you" });
      await romeo.sees({ event: "message", body: "to one of you", sender: paul.jid });
      await other.sees({ event: "carbon", type: "received", body: "to one of you", sender: paul.jid });
      other.do("message", { to: paul.jid, body: "from the other" });
      await paul.sees({ event: "message", body: "from the other", sender: other.jid });
      await romeo.sees({ event: "carbon", type: "sent", body: "from the other", sender: other.jid });
      paul.do("message", { to: romeo.bare, body: "to all of you" });
      for (const client of [romeo, other]) await client.sees({ event: "message", body: "to all of you" });
      const { items = [] } = await other.asks("remember", { to: paul.bare });
      expect(items.slice(-3)).toEqual(["to one of you", "from the other", "to all of you"]);
      expect(new Set(items).size).toBe(items.length);
    } finally {
      other.stop();
    }
    await paul.sees({ event: "presence", type: "unavailable", sender: other.jid });
  });
}

/** A picture of one point, of a colour of its own: ejabberd looks at what it is given. */
function png(name: string): Buffer {
  const colour = createHash("sha1").update(name).digest().subarray(0, 3);
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat([Buffer.of(0), colour]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
