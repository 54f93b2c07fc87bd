/** Ours, by the bridge, and Debian's ejabberd. */
import { ejabberd } from "./ejabberd.ts";
import { federates } from "./scenario.ts";

federates(ejabberd());
