/** The table, top to bottom. */
import type { Row } from "./row.ts";
import { rows as bosh } from "./rows/bosh.ts";
import { rows as chat } from "./rows/chat.ts";
import { rows as login } from "./rows/login.ts";
import { rows as page } from "./rows/page.ts";
import { rows as presence } from "./rows/presence.ts";
import { rows as pubsub } from "./rows/pubsub.ts";
import { rows as request } from "./rows/request.ts";
import { rows as room } from "./rows/room.ts";
import { rows as s2s } from "./rows/s2s.ts";

export const ROWS: readonly Row[] = [
  ...chat,
  ...s2s,
  ...room,
  ...presence,
  ...request,
  ...bosh,
  ...pubsub,
  ...login,
  ...page,
];
