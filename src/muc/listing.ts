/** What the Directory knows of a room. */
export interface Listing {
  /** The room's bare JID. */
  jid: string;
  /** Who made it: one account may have only so many rooms (security.md D8). */
  creator: string;
  public: boolean;
  name: string;
  description: string;
  lang: string;
  /** A moment ago. */
  occupants: number;
  /** Anybody may enter. */
  open: boolean;
  /** Real addresses are shown to moderators only. */
  semiAnonymous: boolean;
}

/** The part of the Directory that rooms need. */
export interface RoomDirectory {
  /** Public rooms by address, at most `limit` of them. */
  rooms(limit?: number): Promise<Listing[]>;
  /** How a room is listed from now on. False when its creator has too many: then it is not. */
  listRoom(listing: Listing): Promise<boolean>;
  unlistRoom(jid: string): Promise<void>;
}
