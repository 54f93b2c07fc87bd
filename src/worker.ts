/** The worker: the edge app and the object classes, and nothing else. */
export { Directory } from "../durable-objects/directory.ts";
export { Door } from "../durable-objects/door.ts";
export { File } from "../durable-objects/file.ts";
export { Gate } from "../durable-objects/gate.ts";
export { Peer } from "../durable-objects/peer.ts";
export { PubSubNode } from "../durable-objects/pubsub-node.ts";
export { Room } from "../durable-objects/room.ts";
export { User } from "../durable-objects/user.ts";
export { app as default } from "./edge/app.ts";
