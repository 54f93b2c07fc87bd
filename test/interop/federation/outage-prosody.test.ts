/** Ours, by the bridge, while Debian's Prosody is away. */
import { outlasts } from "./outage.ts";
import { prosody } from "./prosody.ts";

outlasts(prosody());
