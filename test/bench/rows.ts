/** The table, top to bottom. */
import type { Row } from "./row.ts";
import { rows as chat } from "./rows/chat.ts";

export const ROWS: readonly Row[] = [...chat];
