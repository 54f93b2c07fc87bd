/**
 * The object classes of the worker, for every program that configures a runtime. wrangler.toml says the same to the cloud
 * (a test compares them). A unique key names the folder of a class on disk and enters every object id: it never changes.
 */
export const OBJECTS = [
  { binding: "GATE", className: "Gate", uniqueKey: "enjamb-gate" },
  { binding: "USER", className: "User", uniqueKey: "enjamb-user" },
  { binding: "ROOM", className: "Room", uniqueKey: "enjamb-room" },
  { binding: "NODE", className: "PubSubNode", uniqueKey: "enjamb-node" },
  { binding: "PEER", className: "Peer", uniqueKey: "enjamb-peer" },
  { binding: "DOOR", className: "Door", uniqueKey: "enjamb-door" },
  { binding: "FILE", className: "File", uniqueKey: "enjamb-file" },
  { binding: "DIRECTORY", className: "Directory", uniqueKey: "enjamb-directory" },
] as const;

/** Not newer than the oldest workerd of the tool chain, which would refuse to start. */
export const COMPATIBILITY_DATE = "2026-07-30";

/**
 * nodejs_compat: node:crypto and node:events. no_web_socket_compression: a 20 KB frame must not become 20 MiB in an object
 * that a thousand others share.
 */
export const COMPATIBILITY_FLAGS = ["nodejs_compat", "no_web_socket_compression"] as const;
