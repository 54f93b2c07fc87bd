/** Ours, by the bridge, and Debian's Prosody. */
import { install } from "../peers.ts";
import { startRemoteProsody } from "./prosody.ts";
import { federates } from "./scenario.ts";

if (!install("prosody")) throw new Error("Prosody is not installed: apt-get install prosody");
// It takes a certificate for servers only from a server that connects, as public authorities make them now.
federates({ name: "prosody", net: 1, start: startRemoteProsody, purpose: "serverAuth" });
