/** Ours, by the bridge, while Debian's ejabberd is away. */

import { ejabberd } from "./ejabberd.ts";
import { outlasts } from "./outage.ts";

outlasts(ejabberd());
