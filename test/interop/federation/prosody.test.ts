/** Ours, by the bridge, and Debian's Prosody. */
import { prosody } from "./prosody.ts";
import { federates } from "./scenario.ts";

federates(prosody());
