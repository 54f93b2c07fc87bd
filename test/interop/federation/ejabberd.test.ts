/** Ours, by the bridge, and Debian's ejabberd. */
import { install } from "../peers.ts";
import { startRemoteEjabberd } from "./ejabberd.ts";
import { federates } from "./scenario.ts";

if (!install("ejabberd")) throw new Error("ejabberd is not installed: apt-get install ejabberd");
// COMPAT ejabberd takes a server that connects for a client, and its certificate has to be good for one.
federates({ name: "ejabberd", net: 3, start: startRemoteEjabberd, purpose: "serverAuth,clientAuth" });
