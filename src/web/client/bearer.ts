/** RFC 7628: OAUTHBEARER, and the same token as PLAIN's password for servers that take it so. */
import { type Credentials, once } from "./sasl.ts";

/** A bearer token (JWT), asked for anew at every login because it may be short-lived; the name is only needed for PLAIN. */
export const withToken =
  (token: () => Promise<string> | string, username = ""): Credentials =>
  async ({ mechanisms, secure }) => {
    const mechanism = ["OAUTHBEARER", "PLAIN"].find((name) => secure && mechanisms.includes(name));
    if (mechanism === "PLAIN") return once(mechanism, `\0${username}\0${await token()}`);
    // A refusal is a challenge with a JSON text, to be answered with one octet (§3.2.3).
    const first = mechanism && `n,,\x01auth=Bearer ${await token()}\x01\x01`;
    return first ? { mechanism, first, next: () => "\x01" } : undefined;
  };
