/** As much of a browser's RTCPeerConnection as StanzaJS calls: it offers one audio track and believes every answer. */
export class PeerConnection {
  /** Candidates the other side has sent. */
  readonly candidates: string[] = [];
  signalingState = "stable";
  iceConnectionState = "new";
  localDescription?: Description;
  remoteDescription?: Description;
  onicecandidate?: (event: { candidate?: { candidate: string; sdpMid: string } }) => void;

  createOffer = async (): Promise<Description> => ({ type: "offer", sdp: sdp("actpass", "offr") });
  createAnswer = async (): Promise<Description> => ({ type: "answer", sdp: sdp("active", "answ") });

  async setLocalDescription(description: Description): Promise<void> {
    this.localDescription = description;
    this.#settle(description, "have-local-offer");
  }

  async setRemoteDescription(description: Description): Promise<void> {
    this.remoteDescription = description;
    this.#settle(description, "have-remote-offer");
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.candidates.push(candidate);
  }

  close(): void {
    this.signalingState = "closed";
  }

  addEventListener(): void {}
  getReceivers = (): never[] => [];
  getSenders = (): never[] => [];

  #settle({ type }: Description, pending: string): void {
    this.signalingState = type === "offer" ? pending : "stable";
  }
}

interface Description {
  type: "offer" | "answer";
  sdp: string;
}

const sdp = (setup: string, ufrag: string): string =>
  [
    "v=0",
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=ice-ufrag:${ufrag}`,
    "a=ice-pwd:YqpajhVy2ZYHw8NLkDbNgw6c",
    `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`,
    `a=setup:${setup}`,
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "",
  ].join("\r\n");
